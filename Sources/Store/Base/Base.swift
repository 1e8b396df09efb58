internal import Glibc

/// The sorted entries of a store under its journal, searched in place.
///
/// A search halves the file. The upper halvings of all searches are the same, so it is kept where their lines start: a
/// few megabytes for a file of a gigabyte, filled as searches come by, and touched by one thread alone.
final class Base {
    let file: BaseFile
    /// The lines where the upper halvings look: the k-th halving's node has number 2^k and up; 0 where none looked yet.
    private let pivots: UnsafeMutablePointer<Int>
    private let pivotCount: Int
    private var recent = RecentValues()

    init(_ file: BaseFile) throws(StoreError) {
        self.file = file
        var count = 1
        while count * Limits.searchedBytes < file.entries.count { count *= 2 }
        // Pages of zeros, which take no memory until they are written to.
        guard let pivots = calloc(count, MemoryLayout<Int>.stride) else { throw .failed("allocate") }
        self.pivots = pivots.bindMemory(to: Int.self, capacity: count)
        pivotCount = count
    }

    deinit {
        free(pivots)
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = recent[key] { return value }
        let (offset, line) = try firstLine(notBefore: key)
        guard let line, try file.compare(line, key) == 0 else {
            try verifyGap(before: offset, line)
            return nil
        }
        try file.verify(line)
        let value = StoredValue(bytes: file.value(of: line))
        recent.add(value, for: key)
        return value
    }

    func cursor(from lower: StoreKey, upTo upper: StoreKey, descending: Bool) throws(StoreError) -> BaseCursor {
        let (start, first) = try firstLine(notBefore: lower)
        let (end, last) = try firstLine(notBefore: upper)
        try verifyGap(before: start, first)
        try verifyGap(before: end, last)
        return try BaseCursor(over: start..<end, of: file, descending: descending)
    }

    /// The first line whose key is not before `key`, and its offset: the end of the file where there is none.
    private func firstLine(notBefore key: StoreKey) throws(StoreError) -> (offset: Int, line: BaseFile.Line?) {
        var (low, high) = (file.entries.lowerBound, file.entries.upperBound)
        var found: BaseFile.Line?
        var node = 1
        while low < high {
            let line = try file.line(at: pivot(node, amid: low..<high))
            let isBefore = try file.compare(line, key) < 0
            if isBefore {
                low = line.place.upperBound
            } else {
                high = line.place.lowerBound
                found = line
            }
            if node < pivotCount { node = node * 2 + (isBefore ? 1 : 0) }
        }
        return (low, found)
    }

    /// Where a line starts that halves a part of the file.
    private func pivot(_ node: Int, amid place: Range<Int>) -> Int {
        guard node < pivotCount else { return file.lineStart(amid: place) }
        if pivots[node] == 0 { pivots[node] = file.lineStart(amid: place) }
        return pivots[node]
    }

    /// Checks the two lines that an absent key would stand between.
    private func verifyGap(before offset: Int, _ line: BaseFile.Line?) throws(StoreError) {
        if let line { try file.verify(line) }
        guard offset > file.entries.lowerBound else { return }
        try file.verify(file.line(at: file.lastLineStart(in: file.entries.lowerBound..<offset)))
    }
}

/// Goes through entries of a base that stand side by side.
struct BaseCursor {
    private let file: BaseFile
    private let isDescending: Bool
    /// What is still to be gone through, the current entry left out.
    private var rest: Range<Int>
    /// The current entry; nil at the end.
    private(set) var entry: (key: StoreKey, value: StoredValue)?

    /// Stands at the first entry of `place`, or at the last one.
    init(over place: Range<Int>, of file: BaseFile, descending: Bool = false) throws(StoreError) {
        self.file = file
        isDescending = descending
        rest = place
        try advance()
    }

    /// Goes to the next entry, or the one before.
    mutating func advance() throws(StoreError) {
        guard !rest.isEmpty else {
            entry = nil
            return
        }
        let start = isDescending ? file.lastLineStart(in: rest) : rest.lowerBound
        let line = try file.line(at: start)
        try file.verify(line)
        rest = isDescending ? rest.lowerBound..<start : line.place.upperBound..<rest.upperBound
        entry = (try file.key(of: line), StoredValue(bytes: file.value(of: line)))
    }
}

/// The values of a base that were asked for of late: looked up, and decoded, but once while they are in use.
private struct RecentValues {
    private var latest: [StoreKey: StoredValue] = [:]
    private var earlier: [StoreKey: StoredValue] = [:]

    subscript(key: StoreKey) -> StoredValue? {
        mutating get {
            if let value = latest[key] { return value }
            guard let value = earlier[key] else { return nil }
            add(value, for: key)
            return value
        }
    }

    /// Keeps a value; those that were not asked for since half of what is kept was added go.
    mutating func add(_ value: StoredValue, for key: StoreKey) {
        if latest.count >= Limits.recentValuesMax / 2 {
            swap(&latest, &earlier)
            latest.removeAll(keepingCapacity: true)
        }
        latest[key] = value
    }
}
