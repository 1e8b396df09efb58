/// Hashes passwords and verifies them against hashes.
///
/// Both take milliseconds on purpose, so rules do not call it: they ask for the work with `Progress`. It may be used from
/// several threads at once.
package protocol PasswordHasher: AnyObject, Sendable {
    /// Hashes a password with fresh salt and the parameters in force.
    func hash(_ password: Password) throws(PasswordHashingFailed) -> PasswordHash
    /// Whether the password is the one that was hashed.
    func verify(_ password: Password, against hash: PasswordHash) throws(PasswordHashingFailed) -> Bool
    /// Whether a hash was made with other parameters than those in force.
    func needsRehash(_ hash: PasswordHash) -> Bool
    /// A hash of no account's password, to be verified against where there is no account, so that an unknown email
    /// takes as long to refuse as a wrong password.
    var decoy: PasswordHash { get }
}

/// A password's hash in the PHC string form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
package struct PasswordHash: Hashable, Sendable {
    /// The PHC string.
    package let text: String

    package init(text: String) {
        self.text = text
    }
}

/// There was no memory to hash a password with.
package struct PasswordHashingFailed: Error {}
