/// Cuts the input into messages that follow headers:
///
///     Content-Length: 54\r\n
///     \r\n
///     {"jsonrpc":"2.0","id":1,"method":"system.info"}
///
/// Header names are case-insensitive, and headers other than Content-Length are ignored. A line may end with LF alone.
/// An invalid header block gets one error, and reading continues at the next `Content-Length:`, so a bad frame does not
/// cost a good one its reply:
///
///     …"method":"system.info"}              length one too short: the message is not JSON
///     }Content-Length: 54\r\n               not a token: an error, and reading continues at `Content-Length:`
///     …"system.info"}Content-Length: 5      length sixteen too long: an error, and continues at `Content-Length:`
///     …"system.info"}Co|ntent-Length: 54    length two too long: message not JSON, continues at `Content-Length:`
///
/// Each byte is examined a bounded number of times. A search continues after the bad line. A block over the length
/// limit is skipped up to the line that exceeds it. If a message includes a header, the bytes from that header on are
/// cut again.
struct HeaderFramer: ~Copyable {
    /// The result of reading a header block.
    private enum Head {
        case incomplete
        /// An invalid block. The search for the next one continues after this many bytes.
        case bad(bytes: Int, Frame)
        /// Headers without a Content-Length. The count includes the empty line after them.
        case noLength(bytes: Int)
        case http(bytes: Int)
        case length(Int, headBytes: Int)
    }

    private var pending = InputBuffer()
    /// The last bytes of the last message that may be the start of the next header. They are still in `pending`.
    private var bytesTakenIn = 0
    /// The bytes of an HTTP request's content that remain to be dropped.
    private var bytesToDrop = 0
    /// Whether the start of the next header block is unknown, so that it must be searched.
    private var isSearching = false
    /// Whether the next header block belongs to an HTTP request that already got its error.
    private var isInHTTPRequest = false
    /// Whether the input has ended.
    private var isAtEnd = false

    /// Takes bytes that were read. Returns the frames that they complete, and the chunk that contains them.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        pending.append(read)
        return cutAll()
    }

    /// Returns the frames that remain at the end of the input: a message that was cut short, and those that it
    /// includes.
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

    /// A frame as a range of positions, before the chunk that will contain it exists.
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

    /// Cuts the frame at a position and moves the position after it; nil if more bytes are needed.
    private mutating func cutNext(at position: inout Int) -> Cut? {
        guard settleTakenIn(at: &position) else { return nil }
        if bytesToDrop > 0 {
            let count = min(bytesToDrop, pending.count - position)
            bytesToDrop -= count
            position += count
            return count > 0 ? .nothing : nil
        }
        let wasSearching = isSearching
        if isSearching {
            let start = position
            guard let found = pending.withUnsafeBytes({ HeaderSyntax.contentLength(in: $0[start...]) }) else {
                position = max(position, pending.count - HeaderSyntax.contentLengthName.count)
                return nil
            }
            position = found
            isSearching = false
        }
        let (start, head) = pending.withUnsafeBytes { bytes in
            let start = bytes[position...].firstIndex { !HeaderSyntax.isSpace($0) } ?? bytes.count
            return (start, Self.head(in: bytes[start...]))
        }
        position = start
        switch head {
        case .incomplete:
            // If a search found this position, the next call searches again and finds it again.
            isSearching = wasSearching
            guard isAtEnd, !wasSearching, !isInHTTPRequest, position < pending.count else { return nil }
            position = pending.count
            return .plain(.cutShort)
        case .noLength(let bytes):
            if isInHTTPRequest {
                isInHTTPRequest = false
                position += bytes
                return .nothing
            }
            // In the rest of a message, a line may look like a header: `note: x"}Content-Length: 54`.
            position += 1
            isSearching = true
            return wasSearching ? .nothing : .plain(.badHeader)
        case .bad(let bytes, let error):
            position += bytes
            isSearching = true
            defer { isInHTTPRequest = false }
            // During a search the error was reported already.
            return error == .badHeader && (wasSearching || isInHTTPRequest) ? .nothing : .plain(error)
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
            return cutMessage(from: position + headBytes, bytes: length, at: &position, wasSearching: wasSearching)
        }
    }

    /// Cuts the message after its headers. If the message includes the next message's header, the next cut is there.
    private mutating func cutMessage(from start: Int, bytes: Int, at position: inout Int, wasSearching: Bool) -> Cut? {
        let isWhole = pending.count - start >= bytes
        guard isWhole || isAtEnd else {
            isSearching = wasSearching
            return nil
        }
        let end = isWhole ? start + bytes : pending.count
        switch pending.withUnsafeBytes({ HeaderSyntax.headerTakenIn(by: start..<end, of: $0) }) {
        case .at(let place):
            position = place
            return .plain(.lengthTooLong)
        case .begun(let bytes) where !isAtEnd:
            // Return the message now and do not wait for more bytes: the peer may wait for the reply before it sends
            // more.
            bytesTakenIn = bytes
            position = end
            return .message(start..<end)
        case .none, .begun:
            guard isWhole || !wasSearching else { return nil }
            position = end
            return isWhole ? .message(start..<end) : .plain(.cutShort)
        }
    }

    /// Checks whether the last bytes of the last message are the start of a header, and if so moves back to them.
    /// Returns false if more bytes are needed.
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

    /// Reads the headers at the start, up to the empty line after them.
    ///
    /// A block over the length limit is skipped only up to the line that exceeds the limit, because a good message may
    /// follow. If the first line exceeds it, the block is skipped nearly up to the limit.
    private static func head(in block: HeaderSyntax.Bytes) -> Head {
        let start = block.startIndex
        var length: Int?
        var lineStart = start
        let bound = start + Limits.headerBytesMax
        while let end = HeaderSyntax.place(of: UInt8(ascii: "\n"), in: block[lineStart..<min(bound, block.endIndex)]) {
            var line = block[lineStart..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let behind = end + 1 - start
            // The next Content-Length may be inside this line, but not at its first byte.
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
