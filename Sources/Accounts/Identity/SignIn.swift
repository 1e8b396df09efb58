package import Store

/// The sign-in of an API. It is the same in all three APIs except for the error codes.
package struct SignIn<Account: PasswordAccount> {
    private let environment: Environment
    private let sessions: Sessions
    private let lockout: SignInLockout
    private let audit: AuditTrail
    private let auditBounds: AuditBounds
    /// The kind of the notice of a lock; nil if no notices are sent.
    private let lockNotice: MailKind?
    private let refusals: Refusals
    private let hidesUnknown: Bool
    private let mayEnter: @Sendable (Account, Timestamp) -> Bool
    private let entered: @Sendable (Account, AccountAPIs, Timestamp, Transaction) throws -> Void
    private let ofAPI: @Sendable (AccountAPIs) -> SignIn

    /// - Parameters:
    ///   - hidesUnknown: whether a reply must not reveal if an email has an account. An email without an account then
    ///     locks like one with an account.
    ///   - mayEnter: whether an account allows signing in. If not, the reply is the same as for an unknown email,
    ///     whatever the password.
    ///   - entered: called after a successful sign-in, with the time of its transaction and in it.
    ///   - ofAPI: returns the sign-in of the same API from the account APIs that a later phase gets.
    package init(
        _ realm: Realm,
        in environment: Environment,
        _ settings: AccountSettings,
        sessions: Sessions,
        refusals: Refusals,
        hidesUnknown: Bool,
        mayEnter: @escaping @Sendable (Account, Timestamp) -> Bool,
        entered: @escaping @Sendable (Account, AccountAPIs, Timestamp, Transaction) throws -> Void = { _, _, _, _ in },
        ofAPI: @escaping @Sendable (AccountAPIs) -> SignIn
    ) {
        self.environment = environment
        self.sessions = sessions
        self.lockout = SignInLockout(realm)
        self.audit = AuditTrail(realm)
        self.auditBounds = settings.auditBounds
        self.lockNotice = settings.sendsNotices ? realm.mails.signInLocked : nil
        self.refusals = refusals
        self.hidesUnknown = hidesUnknown
        self.mayEnter = mayEnter
        self.entered = entered
        self.ofAPI = ofAPI
    }

    /// Signs in and opens a session with `token`.
    ///
    /// For an unknown email, the password is verified against a decoy hash and the failure is counted, so that the
    /// refusal takes as long as for a wrong password.
    ///
    /// - Parameters:
    ///   - email: the email in lower case.
    ///   - password: the password as given.
    ///   - token: the bearer token of the new session.
    ///   - lifetime: how long the new session lasts.
    ///   - origin: where the request comes from.
    package func callAsFunction(
        email: String,
        password: Password,
        token: SecretToken,
        lifetime: SessionLifetime,
        origin: Origin
    ) throws -> Progress<Account> {
        try verify(
            Attempt(
                email: email,
                password: password,
                session: NewSession(token: token, lifetime: lifetime),
                origin: origin,
                newHashKey: environment.random.hex(bytes: 16)
            )
        )
    }

    /// Signs in to another program: the same as signing in, with the same counts, locks and events, but without a
    /// session. The answer is only yes or no, so an email without an account always locks like one with an account.
    ///
    /// - Parameters:
    ///   - email: the email in lower case.
    ///   - password: the password as given.
    ///   - origin: where the request comes from.
    ///   - admits: which of the accounts that may sign in the program accepts. Another account is refused like an
    ///     unknown email.
    package func withoutSession(
        email: String,
        password: Password,
        origin: Origin,
        admits: @escaping @Sendable (Account) -> Bool
    ) throws -> Progress<Account> {
        try verify(
            Attempt(
                email: email,
                password: password,
                session: nil,
                origin: origin,
                newHashKey: environment.random.hex(bytes: 16),
                admits: admits
            )
        )
    }

    /// Whether an account is allowed to sign in, apart from its password and locks.
    func mayEnter(_ account: Account, at now: Timestamp) -> Bool {
        account.disabled == nil && mayEnter(account, now)
    }

    /// The session that a sign-in opens.
    private struct NewSession {
        let token: SecretToken
        let lifetime: SessionLifetime
    }

    /// The data of a sign-in that is passed between phases.
    private struct Attempt {
        let email: String
        let password: Password
        /// Nil if the sign-in is to another program.
        let session: NewSession?
        let origin: Origin
        /// The key of keyed hashes, used if the store has none.
        let newHashKey: String
        /// Which of the accounts that may sign in are accepted.
        var admits: @Sendable (Account) -> Bool = { _ in true }
    }

    /// An account as it was when its password was verified.
    private struct Known {
        let account: Int
        let hash: PasswordHash
        let isDisabled: Bool
    }

    private func verify(_ attempt: Attempt) throws -> Progress<Account> {
        let now = environment.time.now
        let account = try environment.store.read { tx in try admitted(attempt, at: now, in: tx) }
        let known = account.map {
            Known(account: $0.id, hash: PasswordHash(text: $0.passwordHash), isDisabled: $0.disabled != nil)
        }
        return .verify(attempt.password, against: known?.hash ?? environment.hasher.decoy) {
            [ofAPI, locale = account?.locale, isDisabled = known?.isDisabled ?? false] isRight, apis in
            let signIn = ofAPI(apis)
            guard isRight, let known, apis.environment.hasher.needsRehash(known.hash) else {
                // A disabled account counts the right password as a failure too.
                let notice = isRight && !isDisabled ? nil : signIn.lockNotice(locale: locale)
                return try signIn.enter(attempt, known: known, isRight: isRight, newHash: nil, notice: notice, apis)
            }
            return .hash(attempt.password) { newHash, apis in
                let signIn = ofAPI(apis)
                let notice = isDisabled ? signIn.lockNotice(locale: locale) : nil
                return try signIn.enter(attempt, known: known, isRight: true, newHash: newHash, notice: notice, apis)
            }
        }
    }

    /// The notice of a lock, composed before the transaction that may post it; nil if no notices are sent.
    ///
    /// - Parameter locale: that of the account.
    private func lockNotice(locale: String?) -> Notice? {
        lockNotice.map { environment.outbox.notice($0, locale: locale, MailSecrets(environment.random)) }
    }

    /// Opens the session, or counts a failure. A sign-in to another program opens none.
    ///
    /// - Parameters:
    ///   - known: what the password was verified against; nil if the email had no account.
    ///   - newHash: the rehash that replaces it; nil if no rehash is needed.
    ///   - notice: the notice of a lock, in case a failure locks the account; nil if there can be none.
    private func enter(
        _ attempt: Attempt,
        known: Known?,
        isRight: Bool,
        newHash: PasswordHash?,
        notice: Notice?,
        _ apis: AccountAPIs
    ) throws -> Progress<Account> {
        let now = environment.time.now
        let account: Account? = try environment.store.write { tx in
            tx.prefetch { announced in
                guard isRight, let known, !known.isDisabled, attempt.session != nil else { return }
                sessions.announceOpening(for: known.account, to: &announced)
            }
            guard var account = try admitted(attempt, isKnown: known != nil, at: now, in: tx) else {
                guard known == nil else { return nil }
                throw Refusal(AccountError(refusals.unknownEmail)) {
                    [lockout, audit, auditBounds] tx in
                    let email = try SignInLockout.UnknownEmail(
                        attempt.email,
                        from: attempt.origin,
                        newKey: attempt.newHashKey,
                        in: tx
                    )
                    let lock = try lockout.failUnknown(email, at: now, in: tx)
                    let origin = attempt.origin
                    try audit.recordUnknown(.signInFailed, by: .anonymous, from: origin, auditBounds, at: now, in: tx)
                    guard let lock else { return }
                    try audit.recordUnknown(.locked, by: .service, from: origin, auditBounds, at: now, in: tx)
                    guard lock == .account else { return }
                    try notice?.post(to: attempt.email, of: nil as Account?, at: now, in: tx)
                }
            }
            guard account.passwordHash == known?.hash.text else { return nil }
            // The right password of a disabled account counts as a failure too: otherwise, the lock would reveal it
            // where the error does not.
            guard isRight, account.disabled == nil else {
                let code = isRight ? refusals.disabled : refusals.wrongPassword
                throw Refusal(AccountError(code)) { [lockout, audit, account] tx in
                    let lock = try lockout.fail(account.id, from: attempt.origin, at: now, in: tx)
                    let origin = attempt.origin
                    try audit.record(.signInFailed, of: account.id, by: .anonymous, from: origin, at: now, in: tx)
                    guard let lock else { return }
                    try audit.record(.locked, of: account.id, by: .service, from: origin, at: now, in: tx)
                    // A lock for the address of a stranger does not concern the owner.
                    guard lock == .account else { return }
                    try notice?.post(to: attempt.email, of: account, at: now, in: tx)
                }
            }
            if let newHash {
                account.passwordHash = newHash.text
                try tx.update(account)
            }
            try lockout.succeed(account.id, from: attempt.origin, at: now, in: tx)
            let session = try attempt.session.map { new in
                try sessions.open(
                    new.token,
                    for: account.id,
                    lasting: new.lifetime,
                    from: attempt.origin,
                    at: now,
                    in: tx
                )
            }
            try audit.record(
                .signedIn,
                of: account.id,
                by: .anonymous,
                from: attempt.origin,
                detail: session.map { EventDetail(session: $0) },
                at: now,
                in: tx
            )
            try entered(account, apis, now, tx)
            return account
        }
        // Nil: the account has changed while its password was verified, so the password is verified again.
        return try account.map { .done($0) } ?? verify(attempt)
    }

    /// The account of an attempt's email; nil if there is none or it does not allow signing in.
    ///
    /// - Parameter isKnown: whether the email had an account that allowed it a moment ago.
    /// - Throws: the `locked` refusal if the account, or the email without one, is locked.
    private func admitted(
        _ attempt: Attempt,
        isKnown: Bool = false,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Account? {
        // What an email with an account needs and what one without needs are announced together: the number of round
        // trips to a server must not reveal which emails have an account.
        tx.prefetch { announced in
            let (email, origin) = (attempt.email, attempt.origin)
            announced.find(Account.byEmail, Key(email), with: lockout.companions(from: origin))
            // While a store has few counts of emails without an account, they are on the same page of a server's index
            // as the events that all transactions insert. Two sign-ins that write at once would conflict if both read
            // it.
            let hashKey = isKnown ? nil : environment.hashKey.key
            lockout.announce(unknown: email, from: origin, hashKey, to: &announced)
        }
        let account = try tx.find(Account.byEmail, Key(attempt.email)).flatMap {
            mayEnter($0, now) && attempt.admits($0) ? $0 : nil
        }
        if try environment.hashKey.learn(in: tx),
            let email = try SignInLockout.UnknownEmail(
                attempt.email,
                from: attempt.origin,
                in: tx
            )
        {
            // Its counts could not be announced, so they are read in both cases.
            _ = try lockout.secondsLeft(forUnknown: email, at: now, in: tx)
        }
        let seconds: Int? =
            if let account {
                try lockout.secondsLeft(for: account.id, from: attempt.origin, at: now, in: tx)
            } else if hidesUnknown || attempt.session == nil,
                let email = try SignInLockout.UnknownEmail(attempt.email, from: attempt.origin, in: tx)
            {
                try lockout.secondsLeft(forUnknown: email, at: now, in: tx)
            } else {
                nil
            }
        if let seconds { throw AccountError(refusals.locked, retryAfter: seconds) }
        return account
    }
}
