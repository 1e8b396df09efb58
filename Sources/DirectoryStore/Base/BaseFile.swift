internal import JSON
internal import Platform
import Store

// A base holds the entries of a store, sorted by the bytes of their keys: a header line, then one entry per line.
//
//     ["operators/email/foo@bar.com","0000000017","1a2b3c4d"]
//     ["operators/id/0000000017",{"id":17,"email":"foo@bar.com"},"5e6f7a8b"]
//      |<--------------- covered by the checksum ------------>|
//
// The last item is the CRC-32C of the line's bytes before `,"`. It continues from the header's checksum and the line's
// offset, so a line that matches was written in this file at this place. A search therefore verifies only the lines at
// which it ends. A key that is found is correct if its line is. A key that is absent is proved absent by the two lines
// between which it would be, because they were adjacent when the sorted file was written.

/// The file of a base, mapped into memory. It never changes.
///
/// Safe to share: it is immutable, and the mapping lasts as long as the object.
final class BaseFile: @unchecked Sendable {
    /// The file's name in its directory, for errors.
    let name: String
    /// The range of the entries.
    let entries: Range<Int>
    private let pages: MappedPages
    /// The bytes of `pages`.
    private let bytes: UnsafeRawBufferPointer
    private let headerCheck: UInt32
    /// The offset up to which the line number of damage is counted. Requests cannot wait for a count over gigabytes.
    private let countedBytesMax: Int

    /// The parts of an entry's line, as offsets in the file.
    struct Line {
        /// The line, including its line feed.
        let place: Range<Int>
        /// The key as it is written, without its quotes.
        let key: Range<Int>
        let value: Range<Int>
    }

    /// Maps a file.
    ///
    /// - Parameter countsLines: whether damage is always reported with its line number, however large the offset is.
    /// - Throws: `StoreError.damaged` if the length or the header does not match the manifest.
    init(
        _ file: File,
        segment: Manifest.Segment,
        header: FileHeader,
        countsLines: Bool = false
    ) throws(StoreError) {
        let length = try file.status().bytes
        guard length == segment.bytes, length > 0 else {
            throw .damaged(
                file: file.name,
                offset: min(length, segment.bytes),
                reason: "has \(length) bytes, but \(Manifest.fileName) says \(segment.bytes)"
            )
        }
        do throws(SystemError) {
            pages = try file.map(byteCount: length)
        } catch {
            throw .failed("mmap \(file.name)", error)
        }
        name = file.name
        bytes = pages.bytes
        // Searches touch lines all over the file. Adjacent lines are not needed.
        pages.expectRandomAccess()
        entries = min(header.bytes.count, length)..<length
        headerCheck = header.check
        countedBytesMax = countsLines ? .max : Limits.countedBaseBytesMax
        try header.check(bytes, file: name)
    }

    /// Parses the line that starts at an offset.
    ///
    /// - Throws: `StoreError.damaged` if it does not have the form of a line. The checksum is not verified.
    func line(at start: Int) throws(StoreError) -> Line {
        guard let end = index(of: 0x0A, in: start..<entries.upperBound), end - start >= Self.frameBytes,
            bytes[start] == UInt8(ascii: "["), bytes[start + 1] == UInt8(ascii: "\"")
        else { throw damaged(at: start) }
        let key = start + 2
        let valueEnd = end - Self.sealBytes
        var quote = key
        while true {
            guard let next = index(of: UInt8(ascii: "\""), in: quote..<valueEnd) else { throw damaged(at: start) }
            quote = next
            guard isEscaped(quote, since: key) else { break }
            quote += 1
        }
        guard quote + 2 < valueEnd, bytes[quote + 1] == UInt8(ascii: ",") else { throw damaged(at: start) }
        return Line(place: start..<end + 1, key: key..<quote, value: quote + 2..<valueEnd)
    }

    /// The CRC-32C of the whole file.
    var check: UInt32 {
        var check: UInt32 = 0
        for start in stride(from: 0, to: bytes.count, by: Limits.readAheadBytes) {
            let part = start..<min(bytes.count, start + Limits.readAheadBytes)
            check = CRC32C.value(of: self[part], after: check)
            pages.release(part)
        }
        return check
    }

    /// The offset of the line after the one at `offset`, even if that line is damaged.
    func nextLineStart(after offset: Int) -> Int {
        index(of: 0x0A, in: offset..<entries.upperBound).map { $0 + 1 } ?? entries.upperBound
    }

    /// The offset of a line near the middle of `place`. `place` must consist of whole lines.
    func lineStart(amid place: Range<Int>) -> Int {
        let middle = (place.lowerBound + place.upperBound) / 2
        // If the middle is in the last line, the result is that line, however long it is.
        return index(of: 0x0A, in: middle..<place.upperBound - 1).map { $0 + 1 } ?? lastLineStart(in: place)
    }

    /// The offset of the last line of `place`, which must consist of whole lines.
    func lastLineStart(in place: Range<Int>) -> Int {
        var start = place.upperBound - 1
        while start > place.lowerBound, bytes[start - 1] != 0x0A { start -= 1 }
        return start
    }

    /// Whether both are the same base of the same store. The header has the store and the epoch.
    func isSame(as other: BaseFile) -> Bool {
        name == other.name && headerCheck == other.headerCheck && bytes.count == other.bytes.count
    }

    /// Verifies the checksum of a line.
    func verify(_ line: Line) throws(StoreError) {
        let content = self[line.place.lowerBound..<line.value.upperBound]
        let check = Self.check(of: content, headerCheck, line.place.lowerBound)
        let seal = self[line.value.upperBound..<line.place.upperBound]
        // This is what `seal(of:_:_:)` makes, checked in place because every lookup calls this function.
        let isSealed =
            seal.count == Self.sealBytes + 1 && seal[0] == UInt8(ascii: ",") && seal[1] == UInt8(ascii: "\"")
            && UInt32(hex: UnsafeRawBufferPointer(rebasing: seal[2..<10])) == check
            && seal[10] == UInt8(ascii: "\"") && seal[11] == UInt8(ascii: "]") && seal[12] == 0x0A
        guard isSealed else { throw damaged(at: line.place.lowerBound) }
    }

    /// Lets the system read a part of the file ahead, for a sequential reader. Without this call the system reads only
    /// the pages that are accessed, which is right for searches.
    func readAhead(_ place: Range<Int>) {
        pages.readAhead(place)
    }

    /// Removes a part of the file from the memory of this process, for a sequential reader that is behind it. Without
    /// this call the memory would grow to the length of the file.
    func release(_ place: Range<Int>) {
        pages.release(place)
    }

    /// Verifies all lines and their order.
    func verifyAll() throws(StoreError) {
        var offset = entries.lowerBound
        var last: StoreKey?
        while offset < entries.upperBound {
            let line = try line(at: offset)
            try verify(line)
            let key = try key(of: line)
            if let last, !(last < key) {
                throw damaged(at: offset, key == last ? "has the same key as the line before" : "is out of order")
            }
            last = key
            offset = line.place.upperBound
        }
    }

    /// Compares the key of the line at an offset with another key. The result is negative, 0 or positive.
    ///
    /// Most comparisons use this function, so it reads the line only up to the first difference.
    func compare(lineAt start: Int, _ order: KeyOrder) throws(StoreError) -> Int {
        // One byte more than the other key has, to see whether the line's key ends there.
        let count = order.key.bytes.count + 1
        if let result = order.compare(keyStart(ofLineAt: start, count: count)) { return result }
        let lineKey = try key(of: line(at: start))
        return lineKey < order.key ? -1 : lineKey == order.key ? 0 : 1
    }

    /// The first bytes of the key of the line at an offset, as it is written, and of the bytes after the key.
    func keyStart(ofLineAt start: Int, count: Int) -> UnsafeRawBufferPointer {
        self[min(start + 2, entries.upperBound)..<min(start + 2 + count, entries.upperBound)]
    }

    func key(of line: Line) throws(StoreError) -> StoreKey {
        let written = self[line.key]
        guard written.contains(UInt8(ascii: "\\")) else { return StoreKey(bytes: Array(written)) }
        var reader = JSONReader(self[line.key.lowerBound - 1..<line.key.upperBound + 1])
        do throws(JSONError) {
            return StoreKey(bytes: Array(try reader.text().string.utf8))
        } catch {
            throw damaged(at: line.place.lowerBound)
        }
    }

    func value(of line: Line) -> [UInt8] {
        Array(self[line.value])
    }

    /// The error for damage of the line at an offset.
    ///
    /// - Parameter reason: nil if the line does not match its checksum.
    func damaged(at offset: Int, _ reason: String? = nil) -> StoreError {
        let reason = reason ?? LineFault.describing(self[offset..<nextLineStart(after: offset)])
        guard offset <= countedBytesMax else {
            return .damaged(file: name, offset: offset, reason: "the line \(reason)")
        }
        var (number, start) = (1, 0)
        while let end = index(of: 0x0A, in: start..<offset) { (number, start) = (number + 1, end + 1) }
        return .damaged(file: name, offset: offset, reason: "line \(number) \(reason)")
    }

    /// The minimum length of a line without its key and value: `["`, `",` and the seal.
    private static let frameBytes = 4 + sealBytes
    /// The length of `,"1a2b3c4d"]`, the end of a line without its line feed.
    static let sealBytes = 12

    /// The end of the line that starts with `content` at an offset: its checksum and the line feed.
    static func seal(of content: UnsafeRawBufferPointer, _ headerCheck: UInt32, _ offset: Int) -> [UInt8] {
        var seal: [UInt8] = []
        seal.reserveCapacity(sealBytes + 1)
        seal.append(contentsOf: ",\"".utf8)
        check(of: content, headerCheck, offset).appendHex(to: &seal)
        seal.append(contentsOf: "\"]\n".utf8)
        return seal
    }

    /// The checksum of the line that starts with `content` at an offset.
    private static func check(of content: UnsafeRawBufferPointer, _ headerCheck: UInt32, _ offset: Int) -> UInt32 {
        CRC32C.value(of: content, after: headerCheck ^ mark(of: offset))
    }

    /// The bits with which a line's offset changes its checksum.
    private static func mark(of offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: offset) ^ highMark(of: offset >> 32)
    }

    private static func highMark(of high: Int) -> UInt32 { UInt32(truncatingIfNeeded: high) &* 0x9E37_79B9 }

    /// The offset at which a line was written, derived from its checksum. If several offsets match, it is the one
    /// nearest to the line's current offset. The content must be undamaged.
    static func originalOffset(
        of content: UnsafeRawBufferPointer,
        check: UInt32,
        _ headerCheck: UInt32,
        near offset: Int
    ) -> Int {
        let mark = CRC32C.value(before: content, leadingTo: check) ^ headerCheck
        let high = offset >> 32
        let candidates = (max(0, high - 1)...high + 1).map { high in high << 32 | Int(mark ^ highMark(of: high)) }
        return candidates.min { abs($0 - offset) < abs($1 - offset) } ?? offset
    }

    private subscript(place: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[place])
    }

    private func index(of byte: UInt8, in place: Range<Int>) -> Int? {
        bytes.offset(of: byte, in: place)
    }

    /// Whether the number of backslashes before the quote at an offset is odd.
    private func isEscaped(_ quote: Int, since start: Int) -> Bool {
        var slashes = 0
        while quote - slashes > start, bytes[quote - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
        return slashes % 2 == 1
    }
}
