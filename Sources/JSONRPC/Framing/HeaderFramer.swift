/// Cuts what is read into messages behind headers:
///
///     Content-Length: 54\r\n
///     \r\n
///     {"jsonrpc":"2.0","id":1,"method":"system.info"}
///
/// The names of headers may be in any case, and those other than Content-Length are let pass. A line may end with LF
/// alone. What is no header block gets one error, and reading goes on at the next `Content-Length:` in the bytes at hand,
/// so that a bad frame costs no good one its reply:
///
///     …"method":"system.info"}              a length one too short: the message is no JSON
///     }Content-Length: 54\r\n               no token: an error, and on from `Content-Length:`
///     …"system.info"}Content-Length: 5      a length too long by sixteen: an error, and on from `Content-Length:`
///     …"system.info"}Co|ntent-Length: 54    too long by two: the message is no JSON, and on from `Content-Length:`
///
/// Each byte is looked at a bounded number of times: a search goes on behind the line that was bad, a block over the
/// bound is left behind up to the line that crosses it, and what is behind a header that a message took in is cut anew
/// from there.
struct HeaderFramer: ~Copyable {
    /// What stands at a place where headers are expected.
    private enum Head {
        case incomplete
        /// No header block; the search for the next goes on behind so many bytes.
        case bad(bytes: Int, Frame)
        /// Headers without a length, that many bytes with the empty line behind them.
        case noLength(bytes: Int)
        case http(bytes: Int)
        case length(Int, headBytes: Int)
    }

    private var pending = InputBuffer()
    /// With how many bytes the last message ended that may be the first of the next header; they are still held.
    private var bytesTakenIn = 0
    /// How many bytes of an HTTP request's content are still to be dropped.
    private var bytesToDrop = 0
    /// Whether the place where the next headers begin is not known.
    private var isLost = false
    /// Whether the header block that comes next belongs to an HTTP request, which was answered.
    private var isInHTTPRequest = false
    /// Whether nothing more comes.
    private var isAtEnd = false

    /// Takes what was read and gives the messages that it completes, with the memory they stand in.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        pending.append(read)
        return cutAll()
    }

    /// What is left at the end of the input: a message that was cut short, and those that it took in.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        isAtEnd = true
        return cutAll()
    }

    private mutating func cutAll() -> (chunk: Chunk, frames: [Frame]) {
        var position = bytesTakenIn
        var cuts: [Cut] = []
        while let cut = cutNext(at: &position) { cuts.append(cut) }
        let chunk = pending.withUnsafeBytes { Chunk(copying: UnsafeRawBufferPointer(rebasing: $0[..<position])) }
        pending.removeFirst(position - bytesTakenIn)
        return (chunk, cuts.compactMap { $0.frame(in: chunk) })
    }

    /// A frame before the memory that it stands in is settled.
    private enum Cut {
        case message(Range<Int>)
        case plain(Frame)
        case nothing

        func frame(in chunk: Chunk) -> Frame? {
            switch self {
            case .message(let range): .message(UnsafeRawBufferPointer(rebasing: chunk.bytes[range]))
            case .plain(let frame): frame
            case .nothing: nil
            }
        }
    }

    /// Cuts what stands at a position, and moves behind it; nil where more has to be read.
    private mutating func cutNext(at position: inout Int) -> Cut? {
        guard settleTakenIn(at: &position) else { return nil }
        if bytesToDrop > 0 {
            let count = min(bytesToDrop, pending.count - position)
            bytesToDrop -= count
            position += count
            return count > 0 ? .nothing : nil
        }
        let wasLost = isLost
        if isLost {
            let start = position
            guard let found = pending.withUnsafeBytes({ HeaderSyntax.contentLength(in: $0[start...]) }) else {
                position = max(position, pending.count - HeaderSyntax.contentLengthName.count)
                return nil
            }
            position = found
            isLost = false
        }
        let (start, head) = pending.withUnsafeBytes { bytes in
            let start = bytes[position...].firstIndex { !HeaderSyntax.isSpace($0) } ?? bytes.count
            return (start, Self.head(in: bytes[start...]))
        }
        position = start
        switch head {
        case .incomplete:
            // The search found this place, and finds it again.
            isLost = wasLost
            guard isAtEnd, !wasLost, !isInHTTPRequest, position < pending.count else { return nil }
            position = pending.count
            return .plain(.cutShort)
        case .noLength(let bytes):
            if isInHTTPRequest {
                isInHTTPRequest = false
                position += bytes
                return .nothing
            }
            // Where it is the rest of a message, a line of it may pass for a header: `note: x"}Content-Length: 54`.
            position += 1
            isLost = true
            return wasLost ? .nothing : .plain(.badHeader)
        case .bad(let bytes, let error):
            position += bytes
            isLost = true
            defer { isInHTTPRequest = false }
            // A search that meets another bad block has given its error already.
            return error == .badHeader && (wasLost || isInHTTPRequest) ? .nothing : .plain(error)
        case .http(let bytes):
            position += bytes
            isInHTTPRequest = true
            return .plain(.http)
        case .length(let length, let headBytes):
            if isInHTTPRequest {
                isInHTTPRequest = false
                bytesToDrop = length
                position += headBytes
                return .nothing
            }
            return cutMessage(from: position + headBytes, bytes: length, at: &position, wasLost: wasLost)
        }
    }

    /// Cuts a message off behind its headers, unless it takes in a header of the next: then that is where the next cut is.
    private mutating func cutMessage(from start: Int, bytes: Int, at position: inout Int, wasLost: Bool) -> Cut? {
        let isWhole = pending.count - start >= bytes
        guard isWhole || isAtEnd else {
            isLost = wasLost
            return nil
        }
        let end = isWhole ? start + bytes : pending.count
        switch pending.withUnsafeBytes({ HeaderSyntax.headerTakenIn(by: start..<end, of: $0) }) {
        case .at(let place):
            position = place
            return .plain(.lengthTooLong)
        case .begun(let bytes) where !isAtEnd:
            // The message is answered now: what would tell may be the next, for which the other side waits.
            bytesTakenIn = bytes
            position = end
            return .message(start..<end)
        case .none, .begun:
            guard isWhole || !wasLost else { return nil }
            position = end
            return isWhole ? .message(start..<end) : .plain(.cutShort)
        }
    }

    /// Moves back to a header that the last message took in the first bytes of, once it is one; false where more has to be
    /// read.
    private mutating func settleTakenIn(at position: inout Int) -> Bool {
        guard bytesTakenIn > 0 else { return true }
        let start = position - bytesTakenIn
        switch pending.withUnsafeBytes({ HeaderSyntax.beginsWithContentLength($0[start...]) }) {
        case nil where !isAtEnd: return false
        case true?: position = start
        case false?, nil: break
        }
        bytesTakenIn = 0
        return true
    }

    /// Reads the headers at the start, up to the empty line behind them. Those over the bound are left behind no further
    /// than to the line that crosses it, or to the bound where that is the first: a good message may stand behind.
    private static func head(in block: HeaderSyntax.Bytes) -> Head {
        let start = block.startIndex
        var length: Int?
        var lineStart = start
        let bound = start + Limits.headerBytesMax
        while let end = HeaderSyntax.place(of: UInt8(ascii: "\n"), in: block[lineStart..<min(bound, block.endIndex)]) {
            var line = block[lineStart..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let behind = end + 1 - start
            // The next Content-Length may stand within a line, though not at its first byte.
            let onward = max(1, lineStart - start)
            if line.isEmpty {
                return length.map { .length($0, headBytes: behind) } ?? .noLength(bytes: behind)
            }
            if lineStart == start, HeaderSyntax.isHTTPRequestLine(line) { return .http(bytes: behind) }
            switch HeaderSyntax.read(line) {
            case .other: break
            case .contentLength(let number) where number > Limits.lineBytesMax: return .bad(bytes: onward, .tooLong)
            case .contentLength(let number) where length == nil || length == number: length = number
            case .contentLength: return .bad(bytes: behind, .badHeader)
            case .bad: return .bad(bytes: onward, .badHeader)
            }
            lineStart = end + 1
        }
        guard block.endIndex >= bound else { return .incomplete }
        let bytes = lineStart > start ? lineStart - start : Limits.headerBytesMax - HeaderSyntax.contentLengthName.count
        return .bad(bytes: bytes, .badHeader)
    }
}
