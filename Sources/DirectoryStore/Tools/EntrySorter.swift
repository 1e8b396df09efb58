internal import Platform
import Store

// Entries are collected in memory. When the memory is full, they are written to a scratch file as a sorted run. At the
// end all runs are merged. So any number of entries is sorted in bounded memory. An entry has the same form in memory
// and in the file:
//
//     ┌──────────┬────────────┬──────────┬──────┬─────┬───────┐
//     │ key size │ value size │ line     │ kind │ key │ value │
//     │ 4 bytes  │ 4          │ 8        │ 1    │     │       │
//     └──────────┴────────────┴──────────┴──────┴─────┴───────┘
//
// Collected entries are grouped in buckets by the first part of their key, `collection/index/`. The entries of most
// indexes arrive almost in order, and comparing the common prefix each time would take most of the time.

/// Sorts entries by their keys in bounded memory.
final class EntrySorter {
    /// The purpose of an entry.
    enum Kind: UInt8 {
        /// A record, counter or index entry of the store.
        case entry
        /// The same, with an erasable value.
        case erasable
        /// One unit of the count at this key.
        case tally
        /// A statement that another record is a substitute for the record with this key.
        case substitute
        /// A statement that another record needs the record with this key.
        case reference

        /// Entries with the same key are ordered by rank, and those of the same rank by line.
        fileprivate var rank: Int {
            switch self {
            case .entry, .erasable, .tally: 0
            case .substitute: 1
            case .reference: 2
            }
        }
    }

    /// An entry in memory.
    struct Entry {
        fileprivate let bytes: UnsafeRawBufferPointer

        var kind: Kind { Kind(rawValue: bytes[16]) ?? .entry }
        /// The number of the line that the entry comes from.
        var line: Int { Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) }
        var key: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[EntrySorter.headBytes..<EntrySorter.headBytes + keyBytes])
        }
        var value: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[(EntrySorter.headBytes + keyBytes)...])
        }

        fileprivate var keyBytes: Int { Int(bytes.loadUnaligned(as: UInt32.self)) }

        /// The order of entries of the same or different keys: negative, 0 or positive.
        fileprivate func compare(_ other: Entry, skipping prefix: Int = 0) -> Int {
            let (left, right) = (key[prefix...], other.key[prefix...])
            let shared = min(left.count, right.count)
            if shared > 0, let first = key.baseAddress, let second = other.key.baseAddress {
                let order = RawBytes.order(first + prefix, second + prefix, count: shared)
                if order != 0 { return order }
            }
            if left.count != right.count { return left.count - right.count }
            let (rank, otherRank) = (kind.rank, other.kind.rank)
            if rank != otherRank { return rank - otherRank }
            return line - other.line
        }
    }

    /// Entries in memory whose keys have the same prefix.
    private struct Bucket {
        let prefix: [UInt8]
        var items: [Item] = []
    }

    /// The offset of an entry in memory, and the eight bytes of its key after the prefix, which decide most
    /// comparisons.
    private struct Item {
        let head: UInt64
        let offset: Int
    }

    fileprivate static let headBytes = 17

    private let file: File
    /// Memory for the collected entries. Safe: it is allocated and freed here, and writes go only to the bytes from
    /// `used` on.
    private let memory: UnsafeMutableRawBufferPointer
    private var used = 0
    private var buckets: [Bucket] = []
    private var lastBucket = 0
    private var runs: [Range<Int>] = []
    private var output: [UInt8] = []
    private var written = 0
    /// The number of entries added.
    private(set) var count = 0

    /// - Parameters:
    ///   - file: the scratch file for the runs.
    ///   - memoryBytes: the bytes of entries that are collected before a run is written.
    init(spillingTo file: File, memoryBytes: Int = Limits.sortedBytesInMemory) {
        self.file = file
        memory = .allocate(byteCount: memoryBytes, alignment: 8)
    }

    deinit {
        memory.deallocate()
    }

    /// Adds an entry.
    func add(_ kind: Kind, _ key: [UInt8], _ value: [UInt8], line: Int) throws(StoreError) {
        let size = Self.headBytes + key.count + value.count
        if size > memory.count - used { try spill() }
        guard size <= memory.count else { throw .tooLarge(bytes: size) }
        let start = used
        used += size
        count += 1
        let place = UnsafeMutableRawBufferPointer(rebasing: memory[start..<used])
        place.storeBytes(of: UInt32(key.count), toByteOffset: 0, as: UInt32.self)
        place.storeBytes(of: UInt32(value.count), toByteOffset: 4, as: UInt32.self)
        place.storeBytes(of: UInt64(line), toByteOffset: 8, as: UInt64.self)
        place[16] = kind.rawValue
        UnsafeMutableRawBufferPointer(rebasing: place[Self.headBytes...]).copyBytes(from: key)
        UnsafeMutableRawBufferPointer(rebasing: place[(Self.headBytes + key.count)...]).copyBytes(from: value)
        let bucket = bucket(of: key)
        let head = Self.head(of: key, behind: buckets[bucket].prefix.count)
        buckets[bucket].items.append(Item(head: head, offset: start))
    }

    /// Calls `visit` with all entries in the order of their keys. The entry is valid during the call.
    func merge(_ visit: (Entry) throws(StoreError) -> Void) throws(StoreError) {
        try spill()
        let bufferBytes = min(Limits.runBufferBytes, max(4_096, Limits.runBuffersBytes / max(1, runs.count)))
        var heap: [RunReader] = []
        for run in runs {
            let reader = RunReader(file, run, bufferBytes: bufferBytes)
            if try reader.advance() { heap.append(reader) }
        }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { Self.sink(index, in: &heap) }
        while let first = heap.first {
            try visit(first.entry)
            if try !first.advance() {
                heap[0] = heap[heap.count - 1]
                heap.removeLast()
            }
            Self.sink(0, in: &heap)
        }
    }

    // MARK: Collecting

    /// The index of the bucket that a key belongs to.
    private func bucket(of key: [UInt8]) -> Int {
        if lastBucket < buckets.count, Self.starts(key, with: buckets[lastBucket].prefix) { return lastBucket }
        for index in buckets.indices where Self.starts(key, with: buckets[index].prefix) {
            lastBucket = index
            return index
        }
        var slashes = 0
        let end = key.firstIndex { byte in
            if byte == UInt8(ascii: "/") { slashes += 1 }
            return slashes == 2
        }
        buckets.append(Bucket(prefix: Array(key[...(end ?? key.count - 1)])))
        lastBucket = buckets.count - 1
        return lastBucket
    }

    private static func starts(_ key: [UInt8], with prefix: [UInt8]) -> Bool {
        key.count >= prefix.count && RawBytes.order(key, prefix, count: prefix.count) == 0
    }

    private static func head(of key: [UInt8], behind prefix: Int) -> UInt64 {
        var head: UInt64 = 0
        for index in prefix..<prefix + 8 { head = head << 8 | (index < key.count ? UInt64(key[index]) : 0) }
        return head
    }

    private func entry(at offset: Int) -> Entry {
        Entry(start: memory.baseAddress, offset: offset)
    }

    /// Writes the collected entries as a sorted run.
    private func spill() throws(StoreError) {
        guard used > 0 else { return }
        let start = written
        // No prefix is the start of another one, because each ends with its second slash. So the order of the prefixes
        // is the order of all their keys.
        buckets.sort { $0.prefix.lexicographicallyPrecedes($1.prefix) }
        for index in buckets.indices {
            let prefix = buckets[index].prefix.count
            buckets[index].items.sort { left, right in
                left.head == right.head
                    ? entry(at: left.offset).compare(entry(at: right.offset), skipping: prefix) < 0
                    : left.head < right.head
            }
            for item in buckets[index].items {
                output.append(contentsOf: entry(at: item.offset).bytes)
                if output.count >= Limits.baseBufferBytes { try flush() }
            }
            buckets[index].items.removeAll(keepingCapacity: true)
        }
        try flush()
        runs.append(start..<written)
        used = 0
    }

    private func flush() throws(StoreError) {
        try file.write(output, at: written)
        written += output.count
        output.removeAll(keepingCapacity: true)
    }

    // MARK: CompactionSchedule

    /// Moves the reader at `index` of a binary heap down to its right position.
    private static func sink(_ start: Int, in heap: inout [RunReader]) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].entry.compare(heap[least].entry) < 0 { least = child }
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}

extension EntrySorter.Entry {
    /// The entry at `offset` bytes from `start`.
    fileprivate init(start: UnsafeRawPointer?, offset: Int) {
        let head = UnsafeRawBufferPointer(start: start.map { $0 + offset }, count: EntrySorter.headBytes)
        let key = Int(head.loadUnaligned(as: UInt32.self))
        let value = Int(head.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        bytes = UnsafeRawBufferPointer(start: head.baseAddress, count: EntrySorter.headBytes + key + value)
    }

    fileprivate init(start: UnsafeMutableRawPointer?, offset: Int) {
        self.init(start: start.map { UnsafeRawPointer($0) }, offset: offset)
    }
}

/// Reads a run from its file, entry by entry.
private final class RunReader {
    private let file: File
    /// The range of the file that is still to be read.
    private var rest: Range<Int>
    private let bufferBytes: Int
    private var buffer: [UInt8] = []
    private var next = 0
    /// Memory of the current entry. Safe: only `advance()` replaces it.
    private var memory: UnsafeMutableRawBufferPointer = .allocate(byteCount: 4_096, alignment: 8)
    private(set) var entry: EntrySorter.Entry

    init(_ file: File, _ run: Range<Int>, bufferBytes: Int) {
        (self.file, rest, self.bufferBytes) = (file, run, bufferBytes)
        entry = EntrySorter.Entry(bytes: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    deinit {
        memory.deallocate()
    }

    /// Moves to the next entry. Returns false at the end of the run.
    func advance() throws(StoreError) -> Bool {
        guard try fill(EntrySorter.headBytes) else { return false }
        let size = buffer.withUnsafeBytes { bytes in
            EntrySorter.headBytes + Int(bytes.loadUnaligned(fromByteOffset: next, as: UInt32.self))
                + Int(bytes.loadUnaligned(fromByteOffset: next + 4, as: UInt32.self))
        }
        guard try fill(size) else { throw .damaged(file: file.name, offset: rest.lowerBound, reason: "truncated") }
        if memory.count < size {
            memory.deallocate()
            memory = .allocate(byteCount: 2 * size, alignment: 8)
        }
        buffer.withUnsafeBytes { bytes in
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[next..<next + size]))
        }
        entry = EntrySorter.Entry(bytes: UnsafeRawBufferPointer(rebasing: memory[..<size]))
        next += size
        return true
    }

    /// Fills the buffer up to at least `count` unread bytes. Returns false if the run ends before that.
    private func fill(_ count: Int) throws(StoreError) -> Bool {
        if buffer.count - next >= count { return true }
        buffer.removeFirst(next)
        next = 0
        let wanted = min(rest.count, max(bufferBytes, count) - buffer.count)
        let bytes = try file.contents(from: rest.lowerBound, upTo: rest.lowerBound + wanted)
        buffer += bytes
        rest = rest.lowerBound + bytes.count..<rest.upperBound
        return buffer.count >= count
    }
}
