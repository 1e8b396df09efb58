import Store

/// A request that contains the current password of its account, as it is passed between phases.
struct PasswordedRequest<API: AccountAPI, Value>: Sendable {
    /// What the request does once the current password is verified, in one transaction.
    ///
    /// It gets the time of the transaction. It deletes the count of wrong passwords: a new password and a deletion do
    /// so, and other changes call `deleteFailureCount`.
    enum Action: Sendable {
        case change(@Sendable (API, API.Account, Timestamp, Transaction) throws -> Value)
        /// It also needs the hash of a new password.
        case hashing(Password, @Sendable (API, API.Account, PasswordHash, Timestamp, Transaction) throws -> Value)
    }

    let credential: API.Credential
    let current: Password
    let origin: Origin
    let action: Action
}

extension AccountAPI {
    /// Verifies the current password of a request, then executes the request.
    ///
    /// - Throws: the API's error for a wrong credential, an invalid password or an account that is locked.
    func verify<Value>(_ request: PasswordedRequest<Self, Value>) throws -> Progress<Value> {
        let now = environment.time.now
        let account = try environment.store.read { try unlockedAccount(request.credential, at: now, in: $0) }
        let known = PasswordHash(text: account.passwordHash)
        return .verify(request.current, against: known) { isRight, apis in
            let api = Self(from: apis)
            guard isRight else { return try api.finish(request, known) { _, _, _, _ in nil } }
            switch request.action {
            case .change(let change): return try api.finish(request, known, change)
            case .hashing(let new, let change):
                return .hash(new) { hash, apis in
                    try Self(from: apis).finish(request, known) { try change($0, $1, hash, $2, $3) }
                }
            }
        }
    }

    /// Executes the request, or counts a failure.
    ///
    /// - Parameters:
    ///   - known: the hash that the current password was verified against.
    ///   - change: executes the request; returns nil if the password was wrong.
    private func finish<Value>(
        _ request: PasswordedRequest<Self, Value>,
        _ known: PasswordHash,
        _ change: (Self, Account, Timestamp, Transaction) throws -> Value?
    ) throws -> Progress<Value> {
        let now = environment.time.now
        let value: Value? = try environment.store.write { tx in
            // Another process may have set a lock or changed the password meanwhile, so both are checked again.
            let account = try unlockedAccount(request.credential, at: now, in: tx)
            guard account.passwordHash == known.text else { return nil }
            guard let value = try change(self, account, now, tx) else {
                throw Refusal(AccountError(Self.errorCodes.wrongPassword)) { [id = account.id] tx in
                    try Self.countFailure(of: id, from: request.origin, at: now, in: tx)
                }
            }
            return value
        }
        // Nil: the account has changed while its password was verified, so the password is verified again.
        return try value.map { .done($0) } ?? verify(request)
    }

    /// Deletes the count of wrong passwords in a row.
    func deleteFailureCount(of account: Account, in tx: Transaction) throws {
        try Lockout(Self.realm, .passwordChange).deleteCount(of: account.id, in: tx)
    }

    private static func countFailure(
        of account: Int,
        from origin: Origin,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let isLocked = try Lockout(realm, .passwordChange).fail(account, at: now, in: tx)
        let audit = AuditTrail(realm)
        try audit.record(.signInFailed, of: account, by: .account, from: origin, at: now, in: tx)
        if isLocked { try audit.record(.locked, of: account, by: .service, from: origin, at: now, in: tx) }
    }

    /// The account that sends a request, if it is not locked against requests with a password.
    private func unlockedAccount(_ credential: Credential, at now: Timestamp, in tx: Transaction) throws -> Account {
        let account = try authenticated(credential, at: now, in: tx)
        if let seconds = try Lockout(Self.realm, .passwordChange).secondsLeft(for: account.id, at: now, in: tx) {
            throw AccountError(Self.errorCodes.locked, retryAfter: seconds)
        }
        return account
    }
}
