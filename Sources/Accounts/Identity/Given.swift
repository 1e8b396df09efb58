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

    /// Whether the member is not there at all.
    package var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }
}

extension Given: Sendable where Value: Sendable {}
extension Given: Equatable where Value: Equatable {}

extension Given where Value == String {
    /// Whether there is nothing in it: absent, null, or a string of white space.
    package var isBlank: Bool {
        switch self {
        case .absent, .null: true
        case .mistyped: false
        case .value(let text): Self.isBlank(text)
        }
    }

    /// A visible character of ASCII at the start tells without a look at the others.
    private static func isBlank(_ text: String) -> Bool {
        if let first = text.utf8.first, first > 0x20, first < 0x7F { return false }
        return text.allSatisfy(\.isWhitespace)
    }

    /// The value where it is a string of at most `charactersMax` Unicode scalars, white space alone included.
    package func text(charactersMax: Int) -> String? {
        // A scalar has one byte or more.
        guard let value, value.utf8.count <= charactersMax || value.unicodeScalars.count <= charactersMax else {
            return nil
        }
        return value
    }

    /// The value where it is a password: 1 to 1,024 bytes, taken exactly as given.
    package var password: String? {
        guard let value, (1...Limits.passwordBytesMax).contains(value.utf8.count) else { return nil }
        return value
    }
}
