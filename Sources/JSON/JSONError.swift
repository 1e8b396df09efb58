/// An error in a JSON text: the text is not valid JSON (RFC 8259), or it exceeds a limit.
package struct JSONError: Error, Sendable {
    /// The kind of error.
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
        /// A well-formed value of another type than the caller asked for.
        case typeMismatch
        /// An object has two properties with the same name.
        case duplicateProperty
    }

    /// What the grammar allows at the place of the error.
    package enum Expectation: String, Sendable {
        case value = "a JSON value"
        case name = "a property name in double quotes"
        case colon = "a colon"
        case nameOrBrace = "a property name in double quotes or }"
        case valueOrBracket = "a JSON value or ]"
        case commaOrBrace = "a comma or }"
        case commaOrBracket = "a comma or ]"
    }

    /// The kind of error.
    package let reason: Reason
    /// The place of the error, in bytes from the start of the text.
    package let offset: Int
    /// What was expected at that place; nil if the reason says it.
    package let expectation: Expectation?

    package init(_ reason: Reason, at offset: Int, expected expectation: Expectation? = nil) {
        self.reason = reason
        self.offset = offset
        self.expectation = expectation
    }

    /// The error as a text for a message: `expected a comma or }`.
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
        case .duplicateProperty: "the property is given twice"
        }
    }
}

extension JSONError: Equatable {
    /// Errors are equal if they have the same reason at the same place.
    package static func == (left: JSONError, right: JSONError) -> Bool {
        left.reason == right.reason && left.offset == right.offset
    }
}
