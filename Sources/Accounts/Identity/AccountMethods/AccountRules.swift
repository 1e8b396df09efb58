package import JSON

/// An API's rules for single properties of the methods that all account APIs have. Each throws the API's own error.
package protocol AccountRules {
    /// A password of 1 to `Limits.passwordBytesMax` bytes.
    static func password(_ given: Given<Password>, _ field: String) throws -> Password

    /// An email address.
    static func email(_ given: Given<String>, _ field: String) throws -> EmailAddress

    /// A mailed code, without white space around it.
    static func code(_ given: Given<String>, _ field: String) throws -> String

    /// The name of a locale; nil if the request gives none.
    static func locale(_ given: Given<String>, _ field: String) throws -> String?

    /// The error code of a password that the policy refuses.
    static func code(of fault: PasswordPolicy.Fault) -> ErrorCode

    /// The error for an invalid property of a request's origin.
    ///
    /// - Parameter expectedType: the JSON type that it must have; nil if its type is not the problem.
    static func invalidOrigin(_ field: String, _ expectedType: String?) -> AccountError

    /// The error for an invalid lifetime of a session.
    ///
    /// - Parameter expectedType: the JSON type that it must have; nil if its type is not the problem.
    static func invalidLifetime(_ field: String, _ expectedType: String?) -> AccountError

    /// The number of a session.
    static func sessionNumber(_ given: Given<Int>, _ field: String) throws -> Int

    /// Metadata within the bounds of `CompactObject.isMetadata`.
    static func metadata(_ given: Given<CompactObject>, _ field: String) throws -> CompactObject
}

extension AccountRules {
    static func origin(_ given: Given<OriginFields>) throws -> Origin {
        try Origin(given, orThrow: invalidOrigin)
    }

    static func lifetime(_ given: SessionLifetimeFields) throws -> SessionLifetime {
        try SessionLifetime(given, orThrow: invalidLifetime)
    }
}

/// An API's codes for the errors of the methods that all account APIs have.
package struct AccountErrorCodes: Sendable {
    /// The account has no open session with the number.
    let sessionNotFound: ErrorCode
    /// The current password is wrong.
    let wrongPassword: ErrorCode
    /// The account is locked after too many wrong passwords.
    let locked: ErrorCode
    /// The email belongs to another account, or is reserved for one.
    let emailTaken: ErrorCode
    /// A mailed code is unknown, used, superseded or expired.
    let codeInvalid: ErrorCode
    /// The mail quota of an address or an account is reached.
    let tooManyMails: ErrorCode
    /// The account has too many earlier addresses that can be restored.
    let tooManyEmailChanges: ErrorCode
}
