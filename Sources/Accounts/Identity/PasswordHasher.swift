/// Hashes passwords and verifies them against hashes.
///
/// Both take milliseconds on purpose. A hasher may therefore do the work elsewhere: it then throws
/// `PasswordWorkPending`, and the request is run again, from its start, once the work is done. So both are called
/// outside of transactions, and before a request has had any effect.
package protocol PasswordHasher: AnyObject {
    /// Hashes a password with fresh salt and the parameters in force.
    func hash(_ password: Password) throws -> PasswordHash
    /// Whether the password is the one that was hashed.
    func verify(_ password: Password, against hash: PasswordHash) throws -> Bool
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

/// Password work that a hasher has been asked for and has not done yet.
package struct PasswordWorkPending: Error, Sendable {
    /// What is to be done.
    package enum Work: Equatable, Sendable {
        case hash(password: Password)
        case verify(password: Password, against: PasswordHash)
    }

    /// What is to be done before the request is run again.
    package let work: Work

    package init(_ work: Work) {
        self.work = work
    }
}
