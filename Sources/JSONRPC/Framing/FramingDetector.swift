/// Detects the framing of a stream from its first bytes.
///
///     {"jsonrpc":…                   lines: the first byte
///     Content-Length: 54\r\n…        headers: the first line names Content-Length or Content-Type
///     hello from the launcher\n      open: a banner
///     {"jsonrpc":…                   … then lines, with an error for the banner
///
/// A line that is neither JSON nor one of these headers decides nothing. So a launcher's banner or a stray `null` does
/// not turn a stream of lines into headers.
struct FramingDetector: ~Copyable {
    /// The bytes that were read before the framing is known.
    private var pending = InputBuffer()

    /// Takes bytes that were read. Returns the framing once it is certain; `takePending()` then returns all bytes.
    mutating func receive(_ read: UnsafeRawBufferPointer) -> Framing? {
        pending.append(read)
        // A header block has a length limit, so the search for the first one has a limit too.
        let isOverBound = pending.count > 2 * Limits.headerBytesMax
        return pending.withUnsafeBytes { Self.framing(of: $0) } ?? (isOverBound ? .header : nil)
    }

    /// Returns all bytes that were read, to be cut by the detected framing.
    mutating func takePending() -> InputBuffer {
        var taken = InputBuffer()
        swap(&taken, &pending)
        return taken
    }

    private static func framing(of bytes: UnsafeRawBufferPointer) -> Framing? {
        var rest = bytes[...]
        while let first = rest.firstIndex(where: { !isSkipped($0) }) {
            let isFirst = rest.startIndex == 0
            rest = rest[first...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let line = rest[..<(end ?? rest.endIndex)]
            switch bytes[first] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): return .line
            case let byte where isLetter(byte):
                if HeaderSyntax.contentLength(in: line) != nil || HeaderSyntax.namesContentType(line) { return .header }
                guard end != nil else { return nil }
                if HeaderSyntax.isHTTPRequestLine(line) { return .header }
                if isFirst, HeaderSyntax.isJSONWord(line) { return .line }
            // After a banner, only an opening bracket reliably starts a message.
            default: if isFirst { return .line }
            }
            guard let end else { return nil }
            rest = rest[(end + 1)...]
        }
        return nil
    }

    /// Whether the byte is white space or part of a byte order mark.
    static func isSkipped(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains(byte)
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
