/// Finds the header that a message takes in where its length is too long:
///
///     {"jsonrpc":"2.0",…}Content-Length: 54\r\n\r\n{"js   a whole line of it
///     {"jsonrpc":"2.0",…}Content-Length: 5                the line without its end
///     {"jsonrpc":"2.0",…}Cont|ent-Length: 54              a part of its name, where the rest is behind the message
///
/// A text that has any of these is no JSON: within a string there is no line end, outside of one there are no such words,
/// and no JSON text ends with them. So nothing has to be parsed.
extension HeaderSyntax {
    /// Where a message has the next one's header.
    enum TakenIn: Equatable {
        case none
        /// The header begins there.
        case at(Int)
        /// With so many bytes the header may begin; those behind the message tell, and have not been read.
        case begun(bytes: Int)
    }

    /// The first Content-Length header that is in a message, or begins in it.
    ///
    /// - Parameters:
    ///   - message: where the message is.
    ///   - input: what has been read: the message, and what is behind it.
    static func headerTakenIn(by message: Range<Int>, of input: UnsafeRawBufferPointer) -> TakenIn {
        var lineStart = message.lowerBound
        while let end = self.place(of: UInt8(ascii: "\n"), in: input[lineStart..<message.upperBound]) {
            if let place = lengthHeader(before: end, in: input[message], isWholeLine: true) { return .at(place) }
            lineStart = end + 1
        }
        // Nearly every message ends here.
        guard let last = input[message].last, last != UInt8(ascii: "}"), last != UInt8(ascii: "]") else { return .none }
        if let place = lengthHeader(before: message.upperBound, in: input[message], isWholeLine: false) {
            return .at(place)
        }
        return headerBeginning(before: message.upperBound, in: input[message.lowerBound...])
    }

    /// Where a Content-Length header begins that ends at a place, its line end aside.
    ///
    /// - Parameter isWholeLine: whether it has to have its digits.
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

    /// Looks whether a message ends with the first bytes of the name, and the others come behind it.
    private static func headerBeginning(before end: Int, in input: Bytes) -> TakenIn {
        let tail = input[..<end].suffix(contentLengthName.count)
        // The name has its first letter once.
        guard let place = tail.lastIndex(where: { $0 | 0x20 == contentLengthName[0] }) else { return .none }
        return switch beginsWithContentLength(input[place...]) {
        case true?: .at(place)
        case false?: .none
        case nil: .begun(bytes: end - place)
        }
    }

    /// Whether bytes begin with `Content-Length:`; nil where those that are there do not tell.
    static func beginsWithContentLength(_ bytes: Bytes) -> Bool? {
        let expected = contentLengthName + [UInt8(ascii: ":")]
        let found = bytes.prefix(expected.count)
        guard isSame(found, Array(expected.prefix(found.count))) else { return false }
        return found.count == expected.count ? true : nil
    }
}
