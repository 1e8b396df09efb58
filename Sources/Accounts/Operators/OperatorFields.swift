/// What a request gives of a person.
package struct PersonFields {
    package let firstName: Given<String>
    package let lastName: Given<String>
    package let email: Given<String>
    /// Whether there is something else where the object should be.
    package let isMistyped: Bool

    package init(firstName: Given<String>, lastName: Given<String>, email: Given<String>, isMistyped: Bool) {
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
        self.isMistyped = isMistyped
    }
}

/// What a request gives of a client.
package struct ClientFields {
    package let person: PersonFields
    package let address: Given<String>
    /// Whether there is something else where the object should be.
    package let isMistyped: Bool
    /// Whether the object is there.
    package let isGiven: Bool

    package init(person: PersonFields, address: Given<String>, isMistyped: Bool, isGiven: Bool) {
        self.person = person
        self.address = address
        self.isMistyped = isMistyped
        self.isGiven = isGiven
    }
}

/// What a request gives to prove that an operator sends it.
package struct SessionFields {
    package let userID: Given<Int>
    package let sessionID: Given<String>

    package init(userID: Given<Int>, sessionID: Given<String>) {
        self.userID = userID
        self.sessionID = sessionID
    }
}

/// The rules for single members: blank is missing, and what does not fit is invalid.
enum OperatorRules {
    static func text(_ given: Given<String>, _ field: String, charactersMax: Int) throws -> String {
        if given.isBlank { throw AccountError(ErrorCode.Operators.fieldRequired, field: field) }
        guard let text = given.text(charactersMax: charactersMax) else {
            throw AccountError(ErrorCode.Operators.fieldInvalid, field: field)
        }
        return text
    }

    static func email(_ given: Given<String>, _ field: String) throws -> EmailAddress {
        if given.isBlank { throw AccountError(ErrorCode.Operators.fieldRequired, field: field) }
        guard let email = given.value.flatMap({ EmailAddress($0) }) else {
            throw AccountError(ErrorCode.Operators.fieldInvalid, field: field)
        }
        return email
    }

    static func password(_ given: Given<String>, _ field: String) throws -> String {
        switch given {
        case .absent, .null, .value(""): throw AccountError(ErrorCode.Operators.fieldRequired, field: field)
        default: break
        }
        guard let password = given.password else { throw AccountError(ErrorCode.Operators.fieldInvalid, field: field) }
        return password
    }

    /// A member that may be absent and stays as it is then.
    static func kept<Value>(_ given: Given<String>, as current: Value, _ rule: (Given<String>) throws -> Value) throws
        -> Value
    {
        given.isAbsent ? current : try rule(given)
    }

    /// The names and the email of a person, those at `path`.
    static func person(_ given: PersonFields, at path: String) throws -> (
        first: String, last: String, email: EmailAddress
    ) {
        if given.isMistyped { throw AccountError(ErrorCode.Operators.fieldInvalid, field: path) }
        return (
            try text(given.firstName, "\(path).first_name", charactersMax: Limits.nameCharactersMax),
            try text(given.lastName, "\(path).last_name", charactersMax: Limits.nameCharactersMax),
            try email(given.email, "\(path).email")
        )
    }
}
