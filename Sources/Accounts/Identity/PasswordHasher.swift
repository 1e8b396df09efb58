/// Hashes passwords and verifies them against hashes.
///
/// Both take milliseconds by design, and seconds with some imported hashes. So rules do not call the hasher directly
/// but return a `Progress` that waits for it. Several threads may use it at once.
package protocol PasswordHasher: AnyObject, Sendable {
    /// Hashes a password with a new salt and the current parameters.
    func hash(_ password: Password) throws(PasswordHashingFailed) -> PasswordHash
    /// Whether the hash is of this password. Also verifies the hashes that an import accepts.
    func verify(_ password: Password, against hash: PasswordHash) throws(PasswordHashingFailed) -> Bool
    /// Whether a hash was made with other than the current parameters.
    func needsRehash(_ hash: PasswordHash) -> Bool
    /// A hash that belongs to no account. A sign-in with an unknown email verifies against it, so that it takes as long
    /// as one with a wrong password.
    var decoy: PasswordHash { get }
}

/// A password's hash in the PHC string form, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, or in a form of another
/// program (`ImportedHash`).
package struct PasswordHash: Hashable, Sendable {
    /// The hash as it is stored.
    package let text: String

    package init(text: String) {
        self.text = text
    }
}

/// The memory for hashing a password could not be allocated.
package struct PasswordHashingFailed: Error {}
