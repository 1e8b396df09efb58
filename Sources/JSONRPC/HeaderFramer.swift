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
///     …"method":"system.info"}       a length one too short: the message is no JSON
///     }Content-Length: 54\r\n        no token: an error, and on from `Content-Length:`
///     ntent-Length: 54\r\n           a length two too long: an error, and the length is read all the same
///
/// Each byte is looked at a bounded number of times: a search goes on behind the line that was bad, and a block over the
/// bound is left behind up to the line that crosses it.
struct HeaderFramer: ~Copyable {
    /// What stands at a place where headers are expected.
    private enum Head {
        case incomplete
        /// No header block; the search for the next goes on behind so many bytes.
        case bad(bytes: Int, Frame)
        /// Headers without a length.
        case noLength(bytes: Int)
        case http(bytes: Int)
        case length(Int, headBytes: Int, nameWasCut: Bool)
    }

    private var pending = InputBuffer()
    /// How many bytes of an HTTP request's content are still to be dropped.
    private var bytesToDrop = 0
    /// Whether the place where the next headers begin is not known.
    private var isLost = false
    /// Whether the header block that comes next belongs to an HTTP request, which was answered.
    private var isInHTTPRequest = false
    /// Whether the error for a header whose name was cut has been given.
    private var isCutReported = false
    /// Whether a message ends where the next headers are expected.
    private var followsMessage = false

    /// Takes what was read and gives the messages that it completes, with the memory they stand in.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        pending.append(read)
        var position = 0
        var cuts: [Cut] = []
        while let cut = cutNext(at: &position) { cuts.append(cut) }
        let chunk = pending.withUnsafeBytes { Chunk(copying: UnsafeRawBufferPointer(rebasing: $0[..<position])) }
        pending.removeFirst(position)
        return (chunk, cuts.compactMap { $0.frame(in: chunk) })
    }

    /// What is left at the end of the input: a message that was cut short, which is no JSON then.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        let isBlank = pending.withUnsafeBytes { $0.allSatisfy(HeaderSyntax.isSpace) }
        guard !isLost, bytesToDrop == 0, !isInHTTPRequest, !isBlank else { return (.empty, []) }
        let chunk = pending.withUnsafeBytes { Chunk(copying: $0) }
        pending.removeFirst(pending.count)
        return (chunk, [.message(chunk.bytes)])
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
        let isBehindMessage = followsMessage && !wasLost
        let (start, head) = pending.withUnsafeBytes { bytes in
            let start = bytes[position...].firstIndex { !HeaderSyntax.isSpace($0) } ?? bytes.count
            return (start, Self.head(in: bytes[start...], isBehindMessage: isBehindMessage && start == position))
        }
        // White space that was read on its own is gone when the header is looked at again.
        if start > position { followsMessage = false }
        position = start
        switch head {
        case .incomplete:
            // The search found this place, and finds it again.
            isLost = wasLost
            return nil
        case .noLength(let bytes):
            position += bytes
            followsMessage = false
            isLost = !isInHTTPRequest
            defer { isInHTTPRequest = false }
            return wasLost || isInHTTPRequest ? .nothing : .plain(.badHeader)
        case .bad(let bytes, let error):
            position += bytes
            followsMessage = false
            isLost = true
            defer { isInHTTPRequest = false }
            // A search that meets another bad block has given its error already.
            return error == .badHeader && (wasLost || isInHTTPRequest) ? .nothing : .plain(error)
        case .http(let bytes):
            position += bytes
            followsMessage = false
            isInHTTPRequest = true
            return .plain(.http)
        case .length(let length, let headBytes, let nameWasCut):
            if isInHTTPRequest {
                isInHTTPRequest = false
                bytesToDrop = length
                position += headBytes
                return .nothing
            }
            let messageStart = position + headBytes
            guard pending.count - messageStart >= length else {
                isLost = wasLost
                return nil
            }
            if nameWasCut, !isCutReported {
                isCutReported = true
                return .plain(.badHeader)
            }
            isCutReported = false
            followsMessage = true
            position = messageStart + length
            return .message(messageStart..<position)
        }
    }

    /// Reads the headers at the start, up to the empty line behind them. Those over the bound are left behind no further
    /// than to the line that crosses it, or to the bound where that is the first: a good message may stand behind.
    ///
    /// - Parameter isBehindMessage: whether a message ends where the headers begin.
    private static func head(in block: HeaderSyntax.Bytes, isBehindMessage: Bool) -> Head {
        let start = block.startIndex
        var length: Int?
        var nameWasCut = false
        var lineStart = start
        let bound = start + Limits.headerBytesMax
        while let end = block[lineStart..<min(bound, block.endIndex)].firstIndex(of: UInt8(ascii: "\n")) {
            var line = block[lineStart..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let behind = end + 1 - start
            if line.isEmpty {
                return length.map { .length($0, headBytes: behind, nameWasCut: nameWasCut) } ?? .noLength(bytes: behind)
            }
            if lineStart == start {
                if HeaderSyntax.isHTTPRequestLine(line) { return .http(bytes: behind) }
                if isBehindMessage, let number = HeaderSyntax.lengthBehindCutName(line) {
                    (length, nameWasCut, lineStart) = (number, true, end + 1)
                    continue
                }
            }
            // The next Content-Length may stand within a line that is bad, though not at its first byte.
            let onward = max(1, lineStart - start)
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
