/// The sorted entries of a store under its journal, searched in place.
///
/// A search halves the file. The upper halvings of all searches are the same, so the keys that they compare with are kept
/// in memory once they were met: each in a cache line, where the file would cost a page. A key that was found is not
/// searched for again: where its line starts is kept too. All that takes some fifty megabytes for a file of a gigabyte if
/// searches go all over it, and nothing if there are none. One thread alone may search.
final class Base {
    let file: BaseFile
    private let pivots: BasePivots
    private let known: KnownPlaces
    private var recent = RecentValues()

    init(_ file: BaseFile) throws(StoreError) {
        self.file = file
        pivots = try BasePivots(fileBytes: file.entries.count)
        known = try KnownPlaces(fileBytes: file.entries.count)
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        let fingerprint = KeyFingerprint(of: key)
        if let value = recent.value(of: key, fingerprint) { return value }
        guard let offset = try lineStart(of: key, fingerprint) else { return nil }
        let line = try file.line(at: offset)
        try file.verify(line)
        let value = StoredValue(bytes: file.value(of: line))
        recent.note(value, of: key, fingerprint)
        return value
    }

    /// Where the line of a key starts, which is still to be checked; nil where it is proved that there is none.
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
        // Only where a line feed has been changed can one search end before the other though its key is behind.
        guard place.start <= place.end else { throw file.damaged(at: place.end) }
        return try BaseCursor(over: place.start..<place.end, of: file, descending: descending)
    }

    /// Where the first line starts whose key is not before `key`: at the end of the file where there is none.
    private func firstLine(notBefore key: KeyOrder) throws(StoreError) -> Int {
        var (low, high) = (file.entries.lowerBound, file.entries.upperBound)
        // Whether the line at `low` is before the key too; where the next one starts is only looked up where it matters.
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

    /// Checks the two lines that an absent key would stand between, of which the second starts at an offset: that they are
    /// as they were written, and that the key belongs between them.
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

/// Goes through entries of a base that stand side by side.
struct BaseCursor {
    private let file: BaseFile
    private let isDescending: Bool
    /// What is still to be gone through, the current entry left out.
    private var rest: Range<Int>
    /// Up to where the file was read ahead.
    private var aheadEnd: Int
    /// The current entry; nil at the end.
    private(set) var entry: (key: StoreKey, value: StoredValue)?

    /// Stands at the first entry of `place`, or at the last one.
    init(over place: Range<Int>, of file: BaseFile, descending: Bool = false) throws(StoreError) {
        self.file = file
        isDescending = descending
        rest = place
        // A few entries are not worth it.
        aheadEnd = place.count > Limits.readAheadBytes && !descending ? place.lowerBound : .max
        try advance()
    }

    /// Goes to the next entry, or the one before.
    mutating func advance() throws(StoreError) {
        guard !rest.isEmpty else {
            entry = nil
            return
        }
        if rest.lowerBound >= aheadEnd {
            let end = min(rest.upperBound, rest.lowerBound + 2 * Limits.readAheadBytes)
            file.readAhead(rest.lowerBound..<end)
            aheadEnd += Limits.readAheadBytes
        }
        let start = isDescending ? file.lastLineStart(in: rest) : rest.lowerBound
        let line = try file.line(at: start)
        try file.verify(line)
        rest = isDescending ? rest.lowerBound..<start : line.place.upperBound..<rest.upperBound
        entry = (try file.key(of: line), StoredValue(bytes: file.value(of: line)))
    }
}
