internal import Platform
internal import Synchronization

/// How much of the journal is written, and how much of it is on the disk, as all processes of a directory tell each other.
///
/// A sync takes a hundred times as long as a write, and takes along what others have written before it. So one process
/// syncs at a time, for all: the others wait for its end, and most find that their own lines were among what it synced.
///
/// It is three words of the file `lock.sync`, in memory that the processes share, and a lock on that file which is held
/// during a sync. The first two have an epoch and a number of bytes of its journal:
///
/// - *written*: stored by whoever holds the directory's lock, once a write is whole. No write is taken back after that.
/// - *synced*: what *written* was before a sync that did not fail. It is stored by whoever holds the lock on the file.
/// - the third counts syncs, and wakes those who wait for one.
///
/// Where the file is exchanged underneath, processes no longer learn of each other's syncs, and make their own.
///
/// After a crash of the system the words may tell of more than there is. Every process that opens the directory, under
/// its lock, stores what there is before it trusts them.
final class SyncMarks {
    static let fileName = "lock.sync"

    private let file: File
    private let lock: DirectoryLock
    private let pages: MappedPages
    /// Safe to share with other processes: the words are only read and written as a whole.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private static let bytes = 24
    /// Which word is which.
    private static let (written, synced, syncs) = (0, 1, 2)
    /// How many syncs there had been when one was waited for in vain: until there are more, none is waited for.
    private var syncsInVain: UInt64?
    /// The upper bits of a word have the epoch.
    private static let lengthBits: UInt64 = 44

    init(in directory: Directory, calls: SystemCalls) throws(StoreError) {
        file = try File(Self.fileName, in: directory, .creating, calls: calls)
        lock = try DirectoryLock(Self.fileName, in: directory, readOnly: false, isVital: false, calls: calls)
        // A file that is shorter than its mapping would end the process that looks at it, and so would a hole that finds
        // the disk full when it is filled.
        if try file.status().bytes < Self.bytes { try file.write([UInt8](repeating: 0, count: Self.bytes), at: 0) }
        do throws(SystemError) {
            pages = try MappedPages(sharing: file.descriptor, byteCount: Self.bytes)
        } catch {
            throw .failed("mmap \(Self.fileName)", error)
        }
        words = pages.start.bindMemory(to: Atomic<UInt64>.self, capacity: 3)
    }

    /// How many bytes of an epoch's journal the file says were synced, for a process that opens the directory; 0 where
    /// it says nothing of that epoch.
    ///
    /// They are stored after the sync, so the journal has them even after a crash of the system, unless another program
    /// has cut it, or the disk has lied.
    static func synced(in directory: Directory, epoch: Int, calls: SystemCalls) throws(StoreError) -> Int {
        let file: File
        do throws(StoreError) {
            file = try File(fileName, in: directory, .reading, calls: calls)
        } catch  where error.isMissingFile || error.isRefusedWriting {
            return 0
        }
        let contents = try file.contents(from: 0, upTo: bytes)
        guard contents.count == bytes else { return 0 }
        let word = contents.withUnsafeBytes { $0.load(fromByteOffset: Self.synced * 8, as: UInt64.self) }
        return length(of: word, epoch)
    }

    /// Stores what a process has found that has read all of the journal and seen to it that it is on the disk. The
    /// directory's lock must be held. A sync under way may then store a smaller number, which does no harm.
    func reset(epoch: Int, length: Int) {
        words[Self.written].store(Self.word(epoch, length), ordering: .releasing)
        words[Self.synced].store(Self.word(epoch, length), ordering: .releasing)
    }

    /// Stores that the journal has so many bytes. The directory's lock must be held.
    func noteWritten(epoch: Int, length: Int) {
        words[Self.written].store(Self.word(epoch, length), ordering: .releasing)
    }

    /// How many bytes an epoch's journal has, room aside, as far as its processes have told.
    func written(epoch: Int) -> Int { length(Self.written, epoch) }

    /// How many bytes of an epoch's journal are known to be on the disk.
    func synced(epoch: Int) -> Int { length(Self.synced, epoch) }

    /// Sees to it that the first `length` bytes of an epoch's journal are on the disk, unless another process does
    /// meanwhile.
    ///
    /// - Parameter sync: syncs the journal's file.
    /// - Returns: how many bytes are.
    /// - Throws: what `sync` throws.
    func sync(epoch: Int, length: Int, _ sync: () throws(StoreError) -> Void) throws(StoreError) -> Int {
        var patience = Limits.syncWaitMilliseconds
        while true {
            let syncs = words[Self.syncs].load(ordering: .acquiring)
            let synced = synced(epoch: epoch)
            if synced >= length { return synced }
            if try lock.takeIfFree() { break }
            // Whoever stands still in a sync keeps nobody from one of their own.
            guard patience > 0, syncs != syncsInVain else {
                syncsInVain = syncs
                try sync()
                return length
            }
            // Whoever dies in one wakes nobody.
            Futex.wait(
                words + Self.syncs,
                while: UInt32(truncatingIfNeeded: syncs),
                milliseconds: Self.waitMilliseconds
            )
            patience -= Self.waitMilliseconds
        }
        defer {
            // One of those who wake may have to sync next.
            lock.release()
            words[Self.syncs].wrappingAdd(1, ordering: .releasing)
            Futex.wake(words + Self.syncs)
        }
        // What is added from here on may miss the sync.
        let written = max(length, written(epoch: epoch))
        try sync()
        words[Self.synced].store(Self.word(epoch, written), ordering: .releasing)
        return written
    }

    /// How long to wait for a sync before looking whether it still goes on.
    private static let waitMilliseconds = 5

    /// What a word has for an epoch.
    private func length(_ word: Int, _ epoch: Int) -> Int {
        Self.length(of: words[word].load(ordering: .acquiring), epoch)
    }

    private static func length(of word: UInt64, _ epoch: Int) -> Int {
        word >> lengthBits == tag(epoch) ? Int(word & (1 << lengthBits - 1)) : 0
    }

    private static func word(_ epoch: Int, _ length: Int) -> UInt64 {
        tag(epoch) << lengthBits | UInt64(length)
    }

    /// As much of an epoch as there is room for: two that share it are a million merges apart.
    private static func tag(_ epoch: Int) -> UInt64 { UInt64(epoch) & (1 << (64 - lengthBits) - 1) }
}

extension StoreError {
    /// A journal that ends at a line, but before the bytes that were synced.
    static func lostEnd(of manifest: Manifest, at length: Int, _ synced: Int) -> StoreError {
        .damaged(
            file: manifest.journal,
            offset: length,
            reason: "it ends before byte \(synced), up to which it was safely on the disk; "
                + "postern salvage saves what is left"
        )
    }
}
