internal import Platform

/// The grammar of header lines (RFC 9110 §5.6.2, token) and of an HTTP request line (RFC 9112 §3).
enum HeaderSyntax {
    typealias Bytes = Slice<UnsafeRawBufferPointer>

    static let contentLengthName = Array("content-length".utf8)

    /// One line of a header block.
    enum HeaderLine {
        case contentLength(Int)
        /// Another header, whose name is a token.
        case other
        case bad
    }

    /// Parses a line, given without its line end.
    static func read(_ line: Bytes) -> HeaderLine {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return .bad }
        let name = line[..<colon]
        guard name.allSatisfy(isTokenByte) else { return .bad }
        guard isSame(name, contentLengthName) else { return .other }
        return length(of: line[(colon + 1)...]).map { .contentLength($0) } ?? .bad
    }

    /// The value of Content-Length: digits with optional blanks around them; nil for any other text.
    ///
    /// A number of more than 18 digits becomes `Int.max`; the caller checks the length limit.
    static func length(of value: Bytes) -> Int? {
        var digits = value.drop(while: isBlank)
        while let last = digits.last, isBlank(last) { digits = digits.dropLast() }
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        // An Int holds any number of 18 digits, so nothing overflows.
        guard significant.count <= 18 else { return .max }
        return significant.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// The index of the first `Content-Length:`; nil if there is none.
    static func contentLength(in bytes: Bytes) -> Int? {
        var start = bytes.startIndex
        // The search looks for the colon, the rarest byte of the name.
        while let colon = place(of: UInt8(ascii: ":"), in: bytes[start...]) {
            let begin = colon - contentLengthName.count
            if begin >= bytes.startIndex, bytes[colon - 1] | 0x20 == UInt8(ascii: "h"),
                isSame(bytes[begin..<colon], contentLengthName)
            {
                return begin
            }
            start = colon + 1
        }
        return nil
    }

    /// The index of the first such byte. The search compares many bytes at a time.
    static func place(of byte: UInt8, in bytes: Bytes) -> Int? {
        UnsafeRawBufferPointer(rebasing: bytes).offset(of: byte).map { bytes.startIndex + $0 }
    }

    static func namesContentType(_ line: Bytes) -> Bool {
        let name = Array("content-type:".utf8)
        return line.count >= name.count && isSame(line[line.startIndex..<line.startIndex + name.count], name)
    }

    /// Whether a line begins an HTTP request: `POST /rpc HTTP/1.1`.
    static func isHTTPRequestLine(_ line: some Collection<UInt8>) -> Bool {
        let words = line.prefix(Limits.headerBytesMax).split(separator: UInt8(ascii: " "), maxSplits: 3)
        guard words.count == 3, words[0].count <= 10 else { return false }
        return words[0].allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            && words[2].starts(with: "HTTP/".utf8)
    }

    /// Whether a line is a JSON text that begins with a letter: `true`, `false` or `null`.
    static func isJSONWord(_ line: Bytes) -> Bool {
        let word = line.prefix { !isSpace($0) }
        guard word.count <= 5, line[word.endIndex...].allSatisfy(isSpace) else { return false }
        return ["true", "false", "null"].contains { word.elementsEqual($0.utf8) }
    }

    /// Whether bytes equal a name, ignoring case. The name is given in lower case.
    static func isSame(_ bytes: Bytes, _ lowerCase: [UInt8]) -> Bool {
        guard bytes.count == lowerCase.count else { return false }
        for (byte, expected) in zip(bytes, lowerCase) where byte != expected {
            guard byte | 0x20 == expected, FramingDetector.isLetter(expected) else { return false }
        }
        return true
    }

    /// Whether the byte is white space or part of a byte order mark.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) || byte == 0xEF || byte == 0xBB || byte == 0xBF
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        FramingDetector.isLetter(byte) || isDigit(byte) || tokenMarks.contains(byte)
    }

    private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
}
