package import Store

/// An account with an email and a password.
package protocol PasswordAccount: Record {
    /// The account's number, the key of its sessions and failure counts.
    var id: Int { get }
    /// The email address as it was given.
    var email: String { get }
    /// The names of its owner, the first name before the last name.
    var names: [String] { get }
    /// The language of mails to the account; nil for the default.
    var locale: String? { get }
    /// When the account was created.
    var created: Timestamp { get }
    /// When administration disabled the account; nil if it is not disabled.
    var disabled: Timestamp? { get set }
    /// Adds what only accounts of its API have to the account's summary.
    func describe(in summary: inout AccountSummary)
    /// Adds what only accounts of its API have to the account's details.
    func describe(in details: inout AccountDetails)
    /// Whether mail to the address is known to reach the owner: a code that was mailed to it was used, or another
    /// program had confirmed it before the account was imported. What protects or shares by address needs it; signing
    /// in may need less.
    var isEmailProven: Bool { get }
    /// Replaces the address by one that the owner has proven.
    mutating func proveEmail(_ address: String)
    /// The hash of its password.
    var passwordHash: String { get set }
    /// Sets a password.
    ///
    /// - Parameter end: when a temporary password expires; nil for a password that the owner chose.
    mutating func setPassword(_ hash: PasswordHash, temporaryUntil end: Timestamp?)
    /// The index of accounts by email in lower case.
    static var byEmail: UniqueIndex<Self> { get }
}

extension PasswordAccount {
    /// For APIs without temporary passwords.
    package mutating func setPassword(_ hash: PasswordHash, temporaryUntil end: Timestamp?) {
        passwordHash = hash.text
    }
}
