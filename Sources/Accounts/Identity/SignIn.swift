package import Store

/// An account that is signed in to with an email and a password.
package protocol PasswordAccount: Record {
    /// The account's number, by which its sessions and failures are kept.
    var id: Int { get }
    /// The PHC string of its password's hash.
    var passwordHash: String { get set }
    /// Finds accounts by their email in lower case.
    static var byEmail: UniqueIndex<Self> { get }
}

/// Signing in, the same for all three APIs but for the words of the refusals.
package struct SignIn<Account: PasswordAccount> {
    /// What is answered when signing in fails.
    package struct Refusals {
        /// There is no such account, or none that may be signed in to.
        package let unknownEmail: ErrorCode
        /// The password is wrong.
        package let wrongPassword: ErrorCode
        /// There were too many failures of late.
        package let locked: ErrorCode

        package init(unknownEmail: ErrorCode, wrongPassword: ErrorCode, locked: ErrorCode) {
            self.unknownEmail = unknownEmail
            self.wrongPassword = wrongPassword
            self.locked = locked
        }
    }

    private let environment: Environment
    private let sessions: Sessions
    private let lockout: Lockout
    private let refusals: Refusals
    private let hidesUnknown: Bool
    private let mayEnter: (Account) -> Bool

    /// - Parameters:
    ///   - hidesUnknown: whether an answer must not tell if an email has an account: then one without locks as one with.
    ///   - mayEnter: whether an account may be signed in to at all; one that may not is answered as an unknown email is,
    ///     whatever the password.
    package init(
        _ realm: Realm,
        in environment: Environment,
        sessions: Sessions,
        refusals: Refusals,
        hidesUnknown: Bool,
        mayEnter: @escaping (Account) -> Bool = { _ in true }
    ) {
        self.environment = environment
        self.sessions = sessions
        self.lockout = Lockout(realm)
        self.refusals = refusals
        self.hidesUnknown = hidesUnknown
        self.mayEnter = mayEnter
    }

    /// Signs in and opens a session that `token` stands for.
    ///
    /// An unknown email is checked against a decoy and counted, so that it takes as long to refuse as a wrong password.
    ///
    /// - Parameters:
    ///   - email: the email in lower case.
    ///   - password: the password as given.
    ///   - token: what the session will be known by.
    ///   - entered: called in the transaction in which the account is signed in to.
    package func callAsFunction(
        email: String,
        password: Password,
        token: SecretToken,
        entered: (Account, Transaction) throws -> Void = { _, _ in }
    ) throws -> Account {
        let newHashKey = environment.random.hex(bytes: 16)
        while true {
            let now = environment.time.now
            let known = try environment.store.transact { tx in try admitted(email, newHashKey, at: now, in: tx) }
            let hash = known.map { PasswordHash(text: $0.passwordHash) } ?? environment.hasher.decoy
            let isRight = try environment.hasher.verify(password, against: hash)
            let isStale = known != nil && isRight && environment.hasher.needsRehash(hash)
            let newHash = isStale ? try environment.hasher.hash(password) : nil

            let account: Account? = try environment.transact { tx in
                guard var account = try admitted(email, newHashKey, at: now, in: tx) else {
                    // An account that came into being since then is checked in the next round.
                    guard known == nil else { return .success(nil) }
                    let hash = try AddressHash(of: email, newKey: newHashKey, in: tx)
                    try lockout.failUnknown(hash, at: now, in: tx)
                    return .failure(AccountError(refusals.unknownEmail))
                }
                guard account.passwordHash == known?.passwordHash else { return .success(nil) }
                guard isRight else {
                    try lockout.fail(account.id, at: now, in: tx)
                    return .failure(AccountError(refusals.wrongPassword))
                }
                if let newHash {
                    account.passwordHash = newHash.text
                    try tx.update(account)
                }
                try lockout.clear(account.id, in: tx)
                try sessions.open(token, for: account.id, at: now, in: tx)
                try entered(account, tx)
                return .success(account)
            }
            // Nil says that the account changed while its password was looked at; what it is now decides.
            if let account { return account }
        }
    }

    /// The account of an email, if it may be signed in to.
    ///
    /// - Throws: the refusal of an account, or of an email without one, that is locked.
    private func admitted(_ email: String, _ newHashKey: String, at now: Timestamp, in tx: Transaction) throws
        -> Account?
    {
        let account = try tx.find(Account.byEmail, Key(email)).flatMap { mayEnter($0) ? $0 : nil }
        let seconds: Int? =
            if let account {
                try lockout.secondsLeft(for: account.id, at: now, in: tx)
            } else if hidesUnknown {
                try lockout.secondsLeft(
                    forUnknown: AddressHash(of: email, newKey: newHashKey, in: tx),
                    at: now,
                    in: tx
                )
            } else {
                nil
            }
        if let seconds { throw AccountError(refusals.locked, retryAfter: seconds) }
        return account
    }
}
