/// Text that is not JSON as RFC 8259 has it, or that passes a bound.
package struct JSONError: Error, Equatable, Sendable {
    /// What is wrong with the text.
    package enum Reason: String, Equatable, Sendable {
        case unexpectedEnd
        case unexpectedByte
        case controlCharacter
        case invalidEscape
        case loneSurrogate
        case invalidUTF8
        case invalidNumber
        case trailingBytes
        case nestingTooDeep
        /// Well-formed, but of another type than the reader asked for.
        case typeMismatch
    }

    /// What is wrong with the text.
    package let reason: Reason
    /// Where it goes wrong, in bytes from the start of the text.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
