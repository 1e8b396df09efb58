package import JSON

/// The person in a request.
package struct PersonFields {
    let firstName, lastName, email: Given<String>

    package init(firstName: Given<String>, lastName: Given<String>, email: Given<String>) {
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
    }
}

/// The client in a request.
package struct ClientFields {
    let person: Given<PersonFields>
    let address: Given<String>

    package init(person: Given<PersonFields>, address: Given<String>) {
        self.person = person
        self.address = address
    }
}

/// The properties by which a request authenticates an operator.
package struct SessionFields: Sendable {
    /// The operator's number.
    package let userID: Given<Int>
    /// The session's token.
    package let sessionID: Given<BearerToken>

    package init(userID: Given<Int>, sessionID: Given<BearerToken>) {
        self.userID = userID
        self.sessionID = sessionID
    }
}

/// A person's valid names and email.
struct ValidPerson {
    let first, last: String
    let email: EmailAddress
}

/// The rules for single properties. A blank value counts as missing, and a value that breaks a rule is invalid. The
/// path of a property is only built for an error.
package enum OperatorRules {
    static func text(_ given: Given<String>, _ field: @autoclosure () -> String, charactersMax: Int) throws -> String {
        if given.isBlank { throw AccountError(ErrorCode.Operators.fieldRequired, field: field()) }
        guard let text = given.text(charactersMax: charactersMax) else { throw invalid(given, field()) }
        return text
    }

    /// A mailed code, without white space around it.
    package static func code(_ given: Given<String>, _ field: String) throws -> String {
        if given.isBlank { throw AccountError(ErrorCode.Operators.fieldRequired, field: field) }
        guard let code = given.code() else { throw invalid(given, field) }
        return code
    }

    static func email(_ given: Given<String>, at field: @autoclosure () -> String) throws -> EmailAddress {
        if given.isBlank { throw AccountError(ErrorCode.Operators.fieldRequired, field: field()) }
        guard let email = given.value.flatMap({ EmailAddress($0) }) else { throw invalid(given, field()) }
        return email
    }

    package static func password(_ given: Given<Password>, _ field: String) throws -> Password {
        if given.isMissing { throw AccountError(ErrorCode.Operators.fieldRequired, field: field) }
        guard let password = given.password else { throw invalid(given, field) }
        return password
    }

    /// The error of a new password that the password policy refuses.
    package static func code(of fault: PasswordPolicy.Fault) -> ErrorCode {
        switch fault {
        case .tooShort: ErrorCode.Operators.passwordTooShort
        case .common: ErrorCode.Operators.passwordCommon
        case .personal: ErrorCode.Operators.passwordPersonal
        }
    }

    /// A required value without further rules here.
    static func present<Value>(_ given: Given<Value>, _ field: String) throws -> Value {
        switch given {
        case .absent, .null: throw AccountError(ErrorCode.Operators.fieldRequired, field: field)
        case .mistyped: throw invalid(given, field)
        case .value(let value): return value
        }
    }

    /// The maximum number of entries, at least 1; nil if the request gives none.
    static func limit(_ given: Given<Int>, _ field: String) throws -> Int? {
        switch given {
        case .absent, .null: return nil
        case .value(let limit) where limit >= 1: return limit
        default: throw invalid(given, field)
        }
    }

    /// The error for an invalid value. If the JSON type is wrong, the error names the expected type.
    static func invalid<Value>(_ given: Given<Value>, _ field: String) -> AccountError {
        AccountError(ErrorCode.Operators.fieldInvalid, field: field, expectedType: given.expectedType)
    }

    /// The names and the email of the person at `path`.
    static func person(_ given: Given<PersonFields>, at path: String) throws -> ValidPerson {
        let given = try present(given, path)
        return ValidPerson(
            first: try text(given.firstName, "\(path).first_name", charactersMax: Limits.nameCharactersMax),
            last: try text(given.lastName, "\(path).last_name", charactersMax: Limits.nameCharactersMax),
            email: try email(given.email, at: "\(path).email")
        )
    }
}

extension OperatorRules: AccountRules {
    package static func email(_ given: Given<String>, _ field: String) throws -> EmailAddress {
        try email(given, at: field)
    }

    package static func locale(_ given: Given<String>, _ field: String) throws -> String? {
        try given.locale(orThrow: invalid(given, field))
    }

    package static func invalidOrigin(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(ErrorCode.Operators.fieldInvalid, field: field, expectedType: expectedType)
    }

    package static func invalidLifetime(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(ErrorCode.Operators.fieldInvalid, field: field, expectedType: expectedType)
    }

    package static func sessionNumber(_ given: Given<Int>, _ field: String) throws -> Int {
        try present(given, field)
    }

    package static func metadata(_ given: Given<CompactObject>, _ field: String) throws -> CompactObject {
        let object = try present(given, field)
        guard object.isMetadata else { throw invalid(given, field) }
        return object
    }
}
