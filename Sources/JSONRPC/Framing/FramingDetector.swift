/// Decides how the messages of a stream are framed, where that is left open.
///
///     {"jsonrpc":…                   lines: the first byte
///     Content-Length: 54\r\n…        headers: the first line names Content-Length or Content-Type
///     hello from the launcher\n      open: a banner
///     {"jsonrpc":…                   … then lines, with an error for the banner
///
/// A line that is neither JSON nor one of these headers decides nothing, so that a banner of a launcher or a stray `null`
/// does not turn a stream of lines into headers.
struct FramingDetector: ~Copyable {
    /// What has been read while the framing is open.
    private var pending = InputBuffer()

    /// Takes what was read; the framing, once it is certain. `takePending()` gives what it holds for then.
    mutating func receive(_ read: UnsafeRawBufferPointer) -> Framing? {
        pending.append(read)
        // Headers have a bound, so the search for the first of them has one.
        let isOverBound = pending.count > 2 * Limits.headerBytesMax
        return pending.withUnsafeBytes { Self.framing(of: $0) } ?? (isOverBound ? .header : nil)
    }

    /// All that was read, which is to be cut by the framing that was decided on.
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
            // Behind a banner only what opens a message is certain to be one.
            default: if isFirst { return .line }
            }
            guard let end else { return nil }
            rest = rest[(end + 1)...]
        }
        return nil
    }

    /// White space, and the bytes of a byte order mark.
    static func isSkipped(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains(byte)
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
