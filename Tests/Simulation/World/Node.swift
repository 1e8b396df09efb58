import DirectoryStore
import Store

/// A file or a directory of the simulated disk.
///
/// Its contents exist twice: as processes see them, in the system's cache, and as they are on the disk. A sync makes
/// both equal. Until then the changes are pending: a power cut keeps any of them.
final class Node {
    /// A change of a file's bytes that is not synced.
    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(length: Int)

        /// The offset after the bytes that it writes.
        var end: Int {
            switch self {
            case .write(let offset, let bytes): offset + bytes.count
            case .truncate: 0
            }
        }
    }

    /// A change of a directory's names that is not synced.
    enum NameChange {
        case set(String, Node)
        case remove(String)
        case move(String, to: String, Node)

        /// The name that the directory has afterwards; nil if it has one less.
        var newName: String? {
            switch self {
            case .set(let name, _), .move(_, let name, _): name
            case .remove: nil
            }
        }
    }

    /// The inode number.
    let number: UInt
    let isDirectory: Bool
    /// The Unix time of the last change.
    var changed = (seconds: 0, nanoseconds: 0)
    /// How many names it has.
    var links = 0
    /// How many open files refer to it.
    var opens = 0

    // MARK: A file

    var bytes: [UInt8] = []
    private(set) var durable: [UInt8] = []
    private(set) var pending: [Change] = []
    /// Whether words that processes share were changed since the last sync.
    var hasChangedWords = false
    /// The words that processes have waited for.
    var wordsWaitedFor: Set<Int> = []
    /// How many times bytes of this file could not be written to the disk, and whether a process was told of the last.
    private(set) var writebackErrors = 0
    var isErrorTold = true
    /// The open file that holds the lock.
    var lockHolder: Int32?

    // MARK: A directory

    private(set) var names: [String: Node] = [:]
    private(set) var durableNames: [String: Node] = [:]
    private var pendingNames: [NameChange] = []
    /// Whether a sync of the names has failed.
    private(set) var hasLostNames = false

    init(number: UInt, isDirectory: Bool) {
        (self.number, self.isDirectory) = (number, isDirectory)
    }

    // MARK: Changing a file

    func write(_ new: UnsafeRawBufferPointer, at offset: Int) {
        guard !new.isEmpty else { return }
        let before = bytes.count
        Self.put(new, at: offset, into: &bytes)
        // What reaches the disk is whole sectors of the cache.
        let start = Self.start(ofSectorAt: min(offset, before))
        let end = min(bytes.count, (offset + new.count + Self.sectorBytes - 1) / Self.sectorBytes * Self.sectorBytes)
        pending.append(.write(offset: start, bytes: Array(bytes[start..<end])))
    }

    func truncate(to length: Int) {
        guard length != bytes.count else { return }
        Self.setLength(&bytes, length)
        pending.append(.truncate(length: length))
    }

    /// Makes the pending changes and the length durable. What a failed sync has dropped stays lost.
    func sync() {
        if hasChangedWords {
            durable = bytes
        } else {
            for change in pending {
                switch change {
                case .write(let offset, let new): new.withUnsafeBytes { Self.put($0, at: offset, into: &durable) }
                case .truncate(let length): Self.setLength(&durable, length)
                }
            }
            Self.setLength(&durable, bytes.count)
        }
        pending = []
        hasChangedWords = false
    }

    /// Drops the pending changes: some of them reach the disk, the system forgets that the others do not.
    ///
    /// - Parameter evicts: whether the cached pages are dropped too, so that processes read what is on the disk.
    func failToSync(_ random: Randomness, evicts: Bool) {
        durable = bytesAfterPowerCut(random)
        pending = []
        hasChangedWords = false
        if evicts {
            // The length is not in the pages. Bytes that are not on the disk are read as zeros.
            let length = bytes.count
            bytes = durable
            Self.setLength(&bytes, length)
        }
        writebackErrors += 1
        isErrorTold = false
    }

    /// The bytes that the file has after a power cut. Each sector has the bytes that it had after any of the pending
    /// changes, whatever the other sectors have. The length is that after one of the changes, and bytes that were not
    /// written are zeros.
    func bytesAfterPowerCut(_ random: Randomness) -> [UInt8] {
        if hasChangedWords { return random.once(in: 2) ? durable : bytes }
        guard !pending.isEmpty else { return durable }
        let form = random.below(4)
        if form == 0 { return durable }
        if form == 1 { return bytes }
        let sized = random.below(pending.count + 1)
        // How many of the changes each sector has; in the second form all sectors have the same ones.
        let sectors = (max(durable.count, pending.map(\.end).max() ?? 0) + Self.sectorBytes - 1) / Self.sectorBytes
        let kept = (0..<sectors).map { _ in
            form == 2 ? sized : random.one(of: [0, pending.count, random.below(pending.count + 1)])
        }
        var result = durable
        var length = durable.count
        for (index, change) in pending.enumerated() {
            switch change {
            case .write(let offset, let new):
                if index < sized { length = max(length, offset + new.count) }
                new.withUnsafeBytes { new in
                    var start = 0
                    while start < new.count {
                        let sector = (offset + start) / Self.sectorBytes
                        let end = min(new.count, (sector + 1) * Self.sectorBytes - offset)
                        if index < kept[sector] {
                            let piece = UnsafeRawBufferPointer(rebasing: new[start..<end])
                            Self.put(piece, at: offset + start, into: &result)
                        }
                        start = end
                    }
                }
            case .truncate(let new):
                guard index < sized else { continue }
                length = new
                if result.count > new { Self.setLength(&result, new) }
            }
        }
        Self.setLength(&result, length)
        return result
    }

    private static let sectorBytes = 512

    /// The offset at which the sector with a byte starts.
    static func start(ofSectorAt offset: Int) -> Int { offset / sectorBytes * sectorBytes }

    private static func put(_ new: UnsafeRawBufferPointer, at offset: Int, into bytes: inout [UInt8]) {
        if bytes.count < offset + new.count { setLength(&bytes, offset + new.count) }
        bytes.withUnsafeMutableBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + new.count]).copyMemory(from: new)
        }
    }

    private static func setLength(_ bytes: inout [UInt8], _ length: Int) {
        if bytes.count > length { bytes.removeLast(bytes.count - length) }
        if bytes.count < length { bytes.append(contentsOf: repeatElement(0, count: length - bytes.count)) }
    }

    /// Sets the bytes on the disk and in the cache, as a person or a failing disk would.
    func replace(with bytes: [UInt8]) {
        (self.bytes, durable, pending) = (bytes, bytes, [])
    }

    // MARK: Changing a directory

    func set(_ name: String, _ node: Node) {
        if let old = names.updateValue(node, forKey: name) { old.links -= 1 }
        node.links += 1
        pendingNames.append(.set(name, node))
    }

    func remove(_ name: String) {
        names.removeValue(forKey: name)?.links -= 1
        pendingNames.append(.remove(name))
    }

    /// Removes a name, from the disk too, and nothing else.
    func removeDurably(_ name: String) {
        names.removeValue(forKey: name)?.links -= 1
        durableNames[name] = nil
        pendingNames.removeAll { $0.newName == name }
    }

    func move(_ name: String, to newName: String) {
        guard let node = names.removeValue(forKey: name) else { return }
        if let old = names.updateValue(node, forKey: newName) { old.links -= 1 }
        pendingNames.append(.move(name, to: newName, node))
    }

    func syncNames() {
        (durableNames, pendingNames) = (names, [])
    }

    /// Drops the pending changes of names. File systems with a journal, such as ext4 and XFS, stop when they cannot
    /// write it, so all syncs of the directory fail afterwards.
    func failToSyncNames(_ random: Randomness) {
        (durableNames, pendingNames) = (namesAfterPowerCut(random), [])
        hasLostNames = true
    }

    /// The names that the directory has after a power cut: any of the pending changes reach the disk.
    func namesAfterPowerCut(_ random: Randomness) -> [String: Node] {
        guard !pendingNames.isEmpty else { return durableNames }
        let form = random.below(4)
        if form == 0 { return durableNames }
        if form == 1 { return names }
        let count = form == 2 ? random.below(pendingNames.count + 1) : pendingNames.count
        var result = durableNames
        for change in pendingNames.prefix(count) where form == 2 || random.once(in: 2) {
            switch change {
            case .set(let name, let node): result[name] = node
            case .remove(let name): result[name] = nil
            case .move(let name, let newName, let node):
                result[name] = nil
                result[newName] = node
            }
        }
        return result
    }
}
