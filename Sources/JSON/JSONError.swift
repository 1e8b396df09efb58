/// Text that is not JSON as RFC 8259 has it, or that passes a bound.
package struct JSONError: Error, Sendable {
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
        /// An object has two members of one name.
        case duplicateMember
    }

    /// What the grammar allows where something else stands.
    package enum Expectation: String, Sendable {
        case value = "a JSON value"
        case name = "a property name in double quotes"
        case colon = "a colon"
        case nameOrBrace = "a property name in double quotes or }"
        case valueOrBracket = "a JSON value or ]"
        case commaOrBrace = "a comma or }"
        case commaOrBracket = "a comma or ]"
    }

    /// What is wrong with the text.
    package let reason: Reason
    /// Where it goes wrong, in bytes from the start of the text.
    package let offset: Int
    /// What was expected there; nil where the reason says it.
    package let expectation: Expectation?

    package init(_ reason: Reason, at offset: Int, expected expectation: Expectation? = nil) {
        self.reason = reason
        self.offset = offset
        self.expectation = expectation
    }

    /// What is wrong, in words for a message: `expected a comma or }`.
    package var explanation: String {
        switch reason {
        case .unexpectedEnd:
            expectation.map { "the text ends where \($0.rawValue) is expected" } ?? "the text ends too early"
        case .unexpectedByte: expectation.map { "expected \($0.rawValue)" } ?? "unexpected character"
        case .controlCharacter: "a control character in a string must be escaped"
        case .invalidEscape: "invalid escape in a string"
        case .loneSurrogate: "a surrogate escape without its pair"
        case .invalidUTF8: "not valid UTF-8"
        case .invalidNumber: "expected a digit"
        case .trailingBytes: "expected the end of the message"
        case .nestingTooDeep: "too many objects and arrays within each other"
        case .typeMismatch: "a value of another type"
        case .duplicateMember: "the property is given twice"
        }
    }
}

extension JSONError: Equatable {
    /// Errors are equal where the same is wrong at the same place.
    package static func == (left: JSONError, right: JSONError) -> Bool {
        left.reason == right.reason && left.offset == right.offset
    }
}
