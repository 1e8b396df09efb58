package import Store

/// The open sessions of a realm's accounts. Each API has its own name for the token of a session.
package struct Sessions {
    private let realm: Realm
    private let perAccountMax: Int
    private let uses: SessionUses

    /// - Parameters:
    ///   - realm: the API that the accounts belong to.
    ///   - perAccountMax: the maximum number of sessions of an account. Opening another one ends the oldest.
    ///   - uses: gets the time of each use of a session.
    package init(_ realm: Realm, perAccountMax: Int, uses: SessionUses) {
        self.realm = realm
        self.perAccountMax = perAccountMax
        self.uses = uses
    }

    /// Opens a session with `token`.
    ///
    /// - Returns: the session's number.
    @discardableResult
    package func open(
        _ token: SecretToken,
        for account: Int,
        lasting lifetime: SessionLifetime = .standard,
        from origin: Origin = .unknown,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int {
        let open = try all(of: account, in: tx)
        let expired = open.filter { isExpired($0, at: now) }
        let living = open.filter { !isExpired($0, at: now) }
        for session in expired { try tx.delete(Session.self, session.key) }
        for session in living.dropLast(perAccountMax - 1) {
            try tx.delete(Session.self, session.key)
            let detail = EventDetail(session: session.number)
            try AuditTrail(realm).record(.sessionEnded, of: account, by: .service, detail: detail, at: now, in: tx)
        }
        let number = try tx.next(Session.counter)
        try tx.insert(
            Session(
                realm: realm.rawValue,
                hash: SecretToken.Hash(of: token.text).text,
                account: account,
                number: number,
                created: now,
                expires: now.adding(seconds: lifetime.seconds),
                lastUsed: nil,
                idleSeconds: lifetime.idleSeconds,
                ip: origin.ip,
                agent: origin.agent
            )
        )
        return number
    }

    /// Announces what `open` reads.
    func announceOpening(for account: Int, to announced: inout Prefetch) {
        announced.scan(Session.byAccount, prefix: Key(realm.rawValue, account))
        announced.next(Session.counter)
    }

    /// The account of the open session with this token.
    ///
    /// - Throws: `refusal` if there is no such session. For an expired session it names the session to delete.
    package func account(
        holding token: BearerToken,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: @autoclosure () -> AccountError
    ) throws -> Int {
        guard let stored = try tx.stored(Session.self, at: realm, token.hash) else { throw refusal() }
        // A session without a bound for idle time, as most are, is not copied.
        let isOpen = stored.record.idleSeconds == nil ? stored.record.expires > now : expiry(of: stored.record) > now
        guard isOpen else { throw refusal().refusing(.session(stored.record.key)) }
        uses.insert(stored, at: now)
        return stored.record.account
    }

    /// The account of the session with this token; nil if there is none or it has expired. It is for lanes: it is no
    /// use of the session, and a session that was idle for too long still has its account.
    package static func account(
        of realm: Realm,
        holding token: BearerToken,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        guard let stored = try tx.stored(Session.self, at: realm, token.hash), stored.record.expires > now
        else { return nil }
        return stored.record.account
    }

    /// An account's open sessions, the newest first.
    package func open(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [Session] {
        try all(of: account, in: tx).filter { !isExpired($0, at: now) }.reversed()
    }

    /// The session with this token, which may have expired; nil if there is none.
    package func session(holding token: BearerToken, in tx: Transaction) throws -> Session? {
        try tx.get(Session.self, key(of: token))
    }

    /// When a session expires if no request uses it.
    package func expiry(of session: Session) -> Timestamp {
        guard let seconds = session.idleSeconds else { return session.expires }
        return min(session.expires, lastUse(of: session).adding(seconds: seconds))
    }

    private func isExpired(_ session: Session, at now: Timestamp) -> Bool {
        session.expires <= now || session.idleSeconds != nil && expiry(of: session) <= now
    }

    /// When a request last used a session: the later of the uses that the store has and those that only this process
    /// knows.
    package func lastUse(of session: Session) -> Timestamp {
        let stored = session.lastUseInStore
        return uses.latest(of: session.number).map { max($0, stored) } ?? stored
    }

    /// The key of the session with this token.
    package func key(of token: BearerToken) -> Key { Key(realm, token.hash) }

    /// Ends the session with this token.
    package func end(_ token: BearerToken, in tx: Transaction) throws {
        try tx.delete(Session.self, key(of: token))
    }

    /// Ends every session of an account.
    package func endAll(of account: Int, in tx: Transaction) throws {
        for session in try all(of: account, in: tx) { try tx.delete(Session.self, session.key) }
    }

    /// An account's sessions, the oldest first.
    private func all(of account: Int, in tx: Transaction) throws -> [Session] {
        try tx.scan(Session.byAccount, prefix: Key(realm.rawValue, account))
    }
}

extension Session: Record {
    package static let collection = Collection<Session>(
        "sessions",
        counters: [RecordCounter(counter) { $0.number }],
        ordered: [byAccount]
    )
    /// Numbers sessions in the order in which they are opened.
    static let counter: Counter = "sessions"
    static let byAccount = OrderedIndex<Session>("account") { Key($0.realm, $0.account, $0.number) }

    package var key: Key { Key(realm, hash) }
}
