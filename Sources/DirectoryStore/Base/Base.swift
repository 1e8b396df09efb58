import Store

/// The sorted entries of a base file, searched in place.
///
/// A search is a binary search over the file. The first steps of all searches compare with the same keys, so these keys
/// are cached in memory once they have been read: a cached key takes one cache line, a key in the file takes a page.
/// The line offset of a key that was found is cached too, so the key is not searched for again. The caches take about
/// fifty megabytes for a file of a gigabyte if searches reach all parts of it, and no memory if there are no searches.
/// A removal has the value null.
/// Only one thread may search.
final class Base {
    let file: BaseFile
    private let pivots: BasePivots
    private let known: KnownPlaces

    init(_ file: BaseFile) throws(StoreError) {
        self.file = file
        pivots = try BasePivots(fileBytes: file.entries.count)
        known = try KnownPlaces(fileBytes: file.entries.count)
    }

    /// The value of a key, which may be a removal; nil if it is proved that the base has none.
    func value(of key: StoreKey, _ fingerprint: KeyFingerprint) throws(StoreError) -> StoredValue? {
        guard let offset = try lineStart(of: key, fingerprint) else { return nil }
        let line = try file.line(at: offset)
        try file.verify(line)
        return StoredValue(bytes: file.value(of: line))
    }

    /// The offset of a key's line, whose checksum is not verified yet; nil if it is proved that the key is absent.
    private func lineStart(of key: StoreKey, _ fingerprint: KeyFingerprint) throws(StoreError) -> Int? {
        let order = KeyOrder(of: key)
        let knownStart = try known.first(for: fingerprint) { start throws(StoreError) in
            try file.compare(lineAt: start, order) == 0
        }
        if let knownStart { return knownStart }
        let start = try firstLine(notBefore: order)
        guard start < file.entries.upperBound, try file.compare(lineAt: start, order) == 0 else {
            try verifyGap(before: start, order)
            return nil
        }
        known.note(start, for: fingerprint)
        return start
    }

    func cursor(from lower: StoreKey, upTo upper: StoreKey, descending: Bool) throws(StoreError) -> BaseCursor {
        let (lowest, end) = (KeyOrder(of: lower), KeyOrder(of: upper))
        let place = (start: try firstLine(notBefore: lowest), end: try firstLine(notBefore: end))
        try verifyGap(before: place.start, lowest)
        try verifyGap(before: place.end, end)
        // A search can end before the other one, although its key is greater, only if a line feed was changed.
        guard place.start <= place.end else { throw file.damaged(at: place.end) }
        return try BaseCursor(over: place.start..<place.end, of: file, descending: descending)
    }

    /// The offset of the first line whose key is not less than `key`, or the end of the file if there is none.
    private func firstLine(notBefore key: KeyOrder) throws(StoreError) -> Int {
        var (low, high) = (file.entries.lowerBound, file.entries.upperBound)
        // Whether the line at `low` is less than the key too. The offset of the next line is looked up only if it is
        // needed.
        var isBehindLow = false
        func passLow() {
            if isBehindLow { (low, isBehindLow) = (file.nextLineStart(after: low), false) }
        }
        var node = 1
        while node < pivots.count {
            if !pivots.isKnown(node) {
                passLow()
                guard low < high else { return low }
                pivots.note(node, lineAt: file.lineStart(amid: low..<high), of: file)
            }
            let line = pivots.line(of: node)
            let order = if let order = pivots.compare(node, key) { order } else { try file.compare(lineAt: line, key) }
            let isBefore = order < 0
            if isBefore { (low, isBehindLow) = (line, true) } else { high = line }
            node = node * 2 + (isBefore ? 1 : 0)
        }
        passLow()
        while low < high {
            let line = file.lineStart(amid: low..<high)
            if try file.compare(lineAt: line, key) < 0 { low = file.nextLineStart(after: line) } else { high = line }
        }
        return low
    }

    /// Verifies the two lines between which an absent key would be; the second one starts at `offset`. Both must match
    /// their checksums, and the key must belong between them.
    private func verifyGap(before offset: Int, _ key: KeyOrder) throws(StoreError) {
        if offset < file.entries.upperBound {
            try file.verify(file.line(at: offset))
            guard try file.compare(lineAt: offset, key) >= 0 else { throw file.damaged(at: offset) }
        }
        guard offset > file.entries.lowerBound else { return }
        let previous = file.lastLineStart(in: file.entries.lowerBound..<offset)
        try file.verify(file.line(at: previous))
        guard try file.compare(lineAt: previous, key) < 0 else { throw file.damaged(at: previous) }
    }
}

/// Iterates over adjacent entries of a base.
struct BaseCursor {
    private let file: BaseFile
    private let isDescending: Bool
    /// The range that is still to be read, without the current entry.
    private var rest: Range<Int>
    /// The offset up to which the file was read ahead.
    private var aheadEnd: Int
    /// The current entry; nil at the end.
    private(set) var entry: (key: StoreKey, value: StoredValue)?

    /// Starts at the first entry of `place`, or at the last one if `descending`.
    init(over place: Range<Int>, of file: BaseFile, descending: Bool = false) throws(StoreError) {
        self.file = file
        isDescending = descending
        rest = place
        // Reading ahead is not worth it for a few entries.
        aheadEnd = place.count > Limits.readAheadBytes && !descending ? place.lowerBound : .max
        try advance()
    }

    /// Moves to the next entry, or to the previous one if descending.
    mutating func advance() throws(StoreError) {
        guard !rest.isEmpty else {
            entry = nil
            return
        }
        if rest.lowerBound >= aheadEnd {
            let end = min(rest.upperBound, rest.lowerBound + 2 * Limits.readAheadBytes)
            file.readAhead(rest.lowerBound..<end)
            file.release(max(file.entries.lowerBound, rest.lowerBound - 2 * Limits.readAheadBytes)..<rest.lowerBound)
            aheadEnd += Limits.readAheadBytes
        }
        let start = isDescending ? file.lastLineStart(in: rest) : rest.lowerBound
        let line = try file.line(at: start)
        try file.verify(line)
        rest = isDescending ? rest.lowerBound..<start : line.place.upperBound..<rest.upperBound
        entry = (try file.key(of: line), StoredValue(bytes: file.value(of: line)))
    }
}
