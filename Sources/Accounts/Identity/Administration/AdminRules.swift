import Store

/// The rules for single properties in requests of administration.
package enum AdminRules {
    /// The name of an account API.
    static func api(_ given: Given<String>, _ field: String = "api") throws -> Realm {
        guard let realm = given.value.flatMap({ Realm(rawValue: $0) }) else { throw invalid(given, field) }
        return realm
    }

    /// An account, by its API and its email or number.
    static func account(_ given: Given<String>, _ field: String = "account") throws -> AccountReference {
        guard let reference = given.value.flatMap({ AccountReference($0) }) else { throw invalid(given, field) }
        return reference
    }

    /// Whether a text may name who asks for an operation.
    package static func isActor(_ text: String) -> Bool {
        text.hasAtMost(scalars: Limits.nameCharactersMax) && text.isPlainLine
    }

    /// Who asks for an operation; nil if the request does not say it.
    static func actor(_ given: Given<String>) throws -> String? {
        try text(given, "actor", charactersMax: Limits.nameCharactersMax)
    }

    /// A line of text; nil if the property is absent, null or blank.
    static func text(_ given: Given<String>, _ field: String, charactersMax: Int) throws -> String? {
        if given.isBlank { return nil }
        guard let text = given.text(charactersMax: charactersMax) else { throw invalid(given, field) }
        return text
    }

    /// A number in a range; the standard value if the property is absent or null.
    static func number(
        _ given: Given<Int>,
        _ field: String,
        in range: ClosedRange<Int>,
        standard: Int? = nil
    ) throws -> Int {
        switch given {
        case .value(let number) where range.contains(number): return number
        case .absent, .null: if let standard { return standard }
        default: break
        }
        throw invalid(given, field)
    }

    /// A boolean; false if the property is absent or null.
    static func flag(_ given: Given<Bool>, _ field: String) throws -> Bool {
        switch given {
        case .value(let flag): return flag
        case .absent, .null: return false
        case .mistyped: throw invalid(given, field)
        }
    }

    /// The number of a record.
    static func id(_ given: Given<Int>) throws -> Int {
        try number(given, "id", in: 1...Key.numbers.upperBound)
    }

    /// The number of the record that a page follows; 0 if the property is absent or null.
    static func cursor(_ given: Given<Int>) throws -> Int {
        try number(given, "after", in: 0...Key.numbers.upperBound, standard: 0)
    }

    /// The maximum number of entries on a page.
    static func limit(_ given: Given<Int>) throws -> Int {
        try number(given, "limit", in: 1...Limits.adminPageMax, standard: Limits.adminPageStandard)
    }

    /// A new password within the contract's bounds.
    static func password(_ given: Given<Password>) throws -> Password {
        guard let password = given.password else { throw invalid(given, "password") }
        return password
    }

    /// The error code of a password that the policy refuses.
    static func code(of fault: PasswordPolicy.Fault) -> ErrorCode {
        switch fault {
        case .tooShort: ErrorCode.Admin.passwordTooShort
        case .common: ErrorCode.Admin.passwordCommon
        case .personal: ErrorCode.Admin.passwordPersonal
        }
    }

    /// The error for an invalid value. If the JSON type is wrong, the error names the expected type.
    static func invalid<Value>(_ given: Given<Value>, _ field: String) -> AccountError {
        AccountError(ErrorCode.Admin.invalidRequest, field: field, expectedType: given.expectedType)
    }
}
