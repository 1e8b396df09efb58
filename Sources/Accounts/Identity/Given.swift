/// What a request says of one member: a value, or one of the three ways of not giving one.
///
/// The APIs treat them differently: an absent member may stay as it is while null clears it, and a value of the wrong
/// JSON type is invalid rather than missing.
package enum Given<Value> {
    case absent
    case null
    case mistyped
    case value(Value)

    /// The value, or nil where there is none.
    package var value: Value? {
        guard case .value(let value) = self else { return nil }
        return value
    }

    /// The same, of what the value is turned into.
    package func map<Other>(_ transform: (Value) -> Other) -> Given<Other> {
        switch self {
        case .absent: .absent
        case .null: .null
        case .mistyped: .mistyped
        case .value(let value): .value(transform(value))
        }
    }

    /// The JSON type that is expected, where the member has another one.
    package var expectedType: String? {
        guard case .mistyped = self else { return nil }
        if Value.self == Int.self { return "an integer" }
        return Value.self == String.self || Value.self == Password.self ? "a string" : "an object"
    }

    /// The error for a value that a rule refuses. It names the JSON type that is expected where that is what is wrong.
    package func error(_ code: ErrorCode) -> AccountError {
        AccountError(code, expectedType: expectedType)
    }

    /// Whether the member is not there at all.
    package var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }
}

extension Given: Sendable where Value: Sendable {}
extension Given: Equatable where Value: Equatable {}

extension Given where Value == String {
    /// Whether nothing is given: absent, null, or a string in which nothing is visible.
    package var isBlank: Bool {
        switch self {
        case .absent, .null: true
        case .mistyped: false
        case .value(let text): text.isBlank
        }
    }

    /// The value where it is one line of text of at most `charactersMax` Unicode scalars, blank ones included.
    package func text(charactersMax: Int) -> String? {
        guard let value, value.hasAtMost(scalars: charactersMax), value.isPlainLine else { return nil }
        return value
    }

    /// The value without white space around it where it is a code, a token or a referral code of at most `charactersMax`
    /// Unicode scalars: who copies one from a mail copies a space or a line feed with it.
    package func code(charactersMax: Int = Limits.codeCharactersMax) -> String? {
        guard let value, value.utf8.count <= Limits.tokenBytesMax else { return nil }
        let code = value.trimmedToken
        return code.hasAtMost(scalars: charactersMax) ? code : nil
    }
}
