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
    private let mayEnter: @Sendable (Account, Timestamp) -> Bool
    private let entered: @Sendable (Account, AccountAPIs, Transaction) throws -> Void
    private let ofAPI: @Sendable (AccountAPIs) -> SignIn

    /// - Parameters:
    ///   - hidesUnknown: whether an answer must not tell if an email has an account: then one without locks as one with.
    ///   - mayEnter: whether an account may be signed in to at all; one that may not is answered as an unknown email is,
    ///     whatever the password.
    ///   - entered: called in the transaction in which an account is signed in to.
    ///   - ofAPI: the sign-in of the same API among those that a later phase is handed.
    package init(
        _ realm: Realm,
        in environment: Environment,
        sessions: Sessions,
        refusals: Refusals,
        hidesUnknown: Bool,
        mayEnter: @escaping @Sendable (Account, Timestamp) -> Bool,
        entered: @escaping @Sendable (Account, AccountAPIs, Transaction) throws -> Void = { _, _, _ in },
        ofAPI: @escaping @Sendable (AccountAPIs) -> SignIn
    ) {
        self.environment = environment
        self.sessions = sessions
        self.lockout = Lockout(realm)
        self.refusals = refusals
        self.hidesUnknown = hidesUnknown
        self.mayEnter = mayEnter
        self.entered = entered
        self.ofAPI = ofAPI
    }

    /// Signs in and opens a session that `token` stands for.
    ///
    /// An unknown email is checked against a decoy and counted, so that it takes as long to refuse as a wrong password.
    ///
    /// - Parameters:
    ///   - email: the email in lower case.
    ///   - password: the password as given.
    ///   - token: what the session will be known by.
    package func callAsFunction(email: String, password: Password, token: SecretToken) throws -> Progress<Account> {
        let newHashKey = environment.random.hex(bytes: 16)
        return try verify(Attempt(email: email, password: password, token: token, newHashKey: newHashKey))
    }

    /// A sign-in on its way from one phase to the next.
    private struct Attempt {
        let email: String
        let password: Password
        let token: SecretToken
        /// The key of the store's address hashes, should it have none yet.
        let newHashKey: String
    }

    private func verify(_ attempt: Attempt) throws -> Progress<Account> {
        let now = environment.time.now
        let account = try environment.store.read { tx in try admitted(attempt.email, at: now, in: tx) }
        let known = account.map { PasswordHash(text: $0.passwordHash) }
        return .verify(attempt.password, against: known ?? environment.hasher.decoy) { [ofAPI] isRight, apis in
            let signIn = ofAPI(apis)
            guard isRight, let known, apis.environment.hasher.needsRehash(known) else {
                return try signIn.enter(attempt, known: known, isRight: isRight, newHash: nil, apis)
            }
            return .hash(attempt.password) { newHash, apis in
                try ofAPI(apis).enter(attempt, known: known, isRight: true, newHash: newHash, apis)
            }
        }
    }

    /// Opens the session, or counts a failure.
    ///
    /// - Parameters:
    ///   - known: the hash that the password was verified against; nil where the email had no account.
    ///   - newHash: a hash to replace it by, where it was made with other parameters than those in force.
    private func enter(
        _ attempt: Attempt,
        known: PasswordHash?,
        isRight: Bool,
        newHash: PasswordHash?,
        _ apis: AccountAPIs
    ) throws -> Progress<Account> {
        let now = environment.time.now
        let account: Account? = try environment.store.write { tx in
            guard var account = try admitted(attempt.email, at: now, in: tx) else {
                guard known == nil else { return nil }
                throw Refusal(AccountError(refusals.unknownEmail)) {
                    [lockout, email = attempt.email, newHashKey = attempt.newHashKey] tx in
                    let hash = try AddressHash(of: email, newKey: newHashKey, in: tx)
                    try lockout.failUnknown(hash, at: now, in: tx)
                }
            }
            guard account.passwordHash == known?.text else { return nil }
            guard isRight else {
                throw Refusal(AccountError(refusals.wrongPassword)) { [lockout, id = account.id] tx in
                    try lockout.fail(id, at: now, in: tx)
                }
            }
            if let newHash {
                account.passwordHash = newHash.text
                try tx.update(account)
            }
            try lockout.clear(account.id, in: tx)
            try sessions.open(attempt.token, for: account.id, at: now, in: tx)
            try entered(account, apis, tx)
            return account
        }
        // Nil says that the account changed while its password was looked at; what it is now decides.
        return try account.map { .done($0) } ?? verify(attempt)
    }

    /// The account of an email, if it may be signed in to.
    ///
    /// - Throws: the refusal of an account, or of an email without one, that is locked.
    private func admitted(_ email: String, at now: Timestamp, in tx: Transaction) throws -> Account? {
        let account = try tx.find(Account.byEmail, Key(email)).flatMap { mayEnter($0, now) ? $0 : nil }
        let seconds: Int? =
            if let account {
                try lockout.secondsLeft(for: account.id, at: now, in: tx)
            } else if hidesUnknown, let hash = try AddressHash(of: email, in: tx) {
                try lockout.secondsLeft(forUnknown: hash, at: now, in: tx)
            } else {
                nil
            }
        if let seconds { throw AccountError(refusals.locked, retryAfter: seconds) }
        return account
    }
}
