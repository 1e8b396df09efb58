/// Finds the next message's header inside a message whose Content-Length is too long:
///
///     {"jsonrpc":"2.0",…}Content-Length: 54\r\n\r\n{"js   the whole header line
///     {"jsonrpc":"2.0",…}Content-Length: 5                the line without its end
///     {"jsonrpc":"2.0",…}Cont|ent-Length: 54              a part of the name; the rest follows the message
///
/// A text with any of these is not JSON: a string contains no line end, the name does not occur outside a string, and
/// no JSON text ends with it. So the message need not be parsed.
extension HeaderSyntax {
    /// Whether and where a message includes the next message's header.
    enum TakenIn: Equatable {
        case none
        /// The header begins at this index.
        case at(Int)
        /// The last bytes of the message may be the start of a header. The bytes that decide have not been read.
        case begun(bytes: Int)
    }

    /// Finds the first Content-Length header that is in a message or begins in it.
    ///
    /// - Parameters:
    ///   - message: the message's range in `input`.
    ///   - input: the message and the bytes that were read after it.
    static func headerTakenIn(by message: Range<Int>, of input: UnsafeRawBufferPointer) -> TakenIn {
        var lineStart = message.lowerBound
        while let end = self.place(of: UInt8(ascii: "\n"), in: input[lineStart..<message.upperBound]) {
            if let place = lengthHeader(before: end, in: input[message], isWholeLine: true) { return .at(place) }
            lineStart = end + 1
        }
        // Nearly every message ends with a bracket, and the search ends here.
        guard let last = input[message].last, last != UInt8(ascii: "}"), last != UInt8(ascii: "]") else { return .none }
        if let place = lengthHeader(before: message.upperBound, in: input[message], isWholeLine: false) {
            return .at(place)
        }
        return headerBeginning(before: message.upperBound, in: input[message.lowerBound...])
    }

    /// The start of a Content-Length header that ends at `end`, ignoring a line end; nil if there is none.
    ///
    /// - Parameter isWholeLine: whether the header must have digits.
    private static func lengthHeader(before end: Int, in message: Bytes, isWholeLine: Bool) -> Int? {
        var line = message[..<end]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        while let last = line.last, isBlank(last) { line = line.dropLast() }
        let digitsEnd = line.endIndex
        while let last = line.last, isDigit(last) { line = line.dropLast() }
        if isWholeLine, line.endIndex == digitsEnd { return nil }
        while let last = line.last, isBlank(last) { line = line.dropLast() }
        guard line.last == UInt8(ascii: ":") else { return nil }
        let name = line.dropLast().suffix(contentLengthName.count)
        return isSame(name, contentLengthName) ? name.startIndex : nil
    }

    /// Checks whether a message ends with the first bytes of the name and the bytes after it complete the name.
    private static func headerBeginning(before end: Int, in input: Bytes) -> TakenIn {
        let tail = input[..<end].suffix(contentLengthName.count)
        // The first letter of the name occurs only once in it.
        guard let place = tail.lastIndex(where: { $0 | 0x20 == contentLengthName[0] }) else { return .none }
        return switch beginsWithContentLength(input[place...]) {
        case true?: .at(place)
        case false?: .none
        case nil: .begun(bytes: end - place)
        }
    }

    /// Whether bytes begin with `Content-Length:`; nil if there are too few bytes to decide.
    static func beginsWithContentLength(_ bytes: Bytes) -> Bool? {
        let expected = contentLengthName + [UInt8(ascii: ":")]
        let found = bytes.prefix(expected.count)
        guard isSame(found, Array(expected.prefix(found.count))) else { return false }
        return found.count == expected.count ? true : nil
    }
}
