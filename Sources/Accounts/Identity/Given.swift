/// One property of a request: a value, absent, null, or of the wrong JSON type.
///
/// The APIs distinguish these cases. In an update, an absent property may stay unchanged while null clears it. A value
/// of the wrong JSON type is invalid and not missing.
package enum Given<Value> {
    case absent
    case null
    case mistyped
    case value(Value)

    /// The value; nil in the other cases.
    package var value: Value? {
        guard case .value(let value) = self else { return nil }
        return value
    }

    /// Transforms the value; keeps the other cases.
    package func map<Other>(_ transform: (Value) -> Other) -> Given<Other> {
        switch self {
        case .absent: .absent
        case .null: .null
        case .mistyped: .mistyped
        case .value(let value): .value(transform(value))
        }
    }

    /// The expected JSON type if the property has another one; else nil.
    package var expectedType: String? {
        guard case .mistyped = self else { return nil }
        if Value.self == Int.self { return "an integer" }
        if Value.self == Bool.self { return "a boolean" }
        let isText = Value.self == String.self || Value.self == Password.self || Value.self == BearerToken.self
        return isText ? "a string" : "an object"
    }

    /// The error for a value that a rule refuses. If the JSON type is wrong, the error names the expected type.
    package func error(_ code: ErrorCode) -> AccountError {
        AccountError(code, expectedType: expectedType)
    }

    /// Whether the property is absent.
    package var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }

    /// Whether the property is absent or null.
    package var isMissing: Bool { isMissing { _ in false } }

    /// Whether the property is absent, null, or a value that counts as none.
    func isMissing(or countsAsNone: (Value) -> Bool) -> Bool {
        switch self {
        case .absent, .null: true
        case .mistyped: false
        case .value(let value): countsAsNone(value)
        }
    }
}

extension Given: Sendable where Value: Sendable {}
extension Given: Equatable where Value: Equatable {}

extension Given where Value == String {
    /// Whether the property is absent, null, or a string without visible characters.
    package var isBlank: Bool { isMissing(or: \.isBlank) }

    /// The value if it is one line of at most `charactersMax` Unicode scalars, even if it is blank; else nil.
    package func text(charactersMax: Int) -> String? {
        guard let value, value.hasAtMost(scalars: charactersMax), value.isPlainLine else { return nil }
        return value
    }

    /// The name of a locale, such as `pt-BR`; nil if the property is absent or null.
    ///
    /// - Throws: `refusal` for any other value.
    func locale(orThrow refusal: @autoclosure () -> AccountError) throws -> String? {
        switch self {
        case .absent, .null: return nil
        case .value(let name) where name.isLocale: return name
        default: throw refusal()
        }
    }

    /// A code, token or referral code of at most `charactersMax` Unicode scalars, without white space around it; else
    /// nil.
    ///
    /// White space is trimmed because a user who copies a code from a mail may copy a space or a line feed with it.
    package func code(charactersMax: Int = Limits.codeCharactersMax) -> String? {
        guard let value, value.utf8.count <= Limits.tokenBytesMax else { return nil }
        let code = value.trimmedToken
        return code.hasAtMost(scalars: charactersMax) ? code : nil
    }
}
