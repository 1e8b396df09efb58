import Store

/// The sessions of the caller's account.
extension AccountAPI {
    /// The open sessions, the newest first.
    package func sessions(_ credential: Credential) throws -> SessionList {
        let now = environment.time.now
        return try environment.store.read { tx in
            let account = try authenticated(credential, at: now, in: tx)
            return SessionList(
                sessions: try sessions.open(of: account.id, at: now, in: tx).map { session in
                    OpenSession(
                        id: session.number,
                        created: session.created,
                        lastUsed: sessions.lastUse(of: session),
                        expires: sessions.expiry(of: session),
                        current: try isCurrent(session, of: credential),
                        ip: session.ip,
                        agent: session.agent
                    )
                }
            )
        }
    }

    /// Ends one session, which may be the current one.
    package func endSession(_ credential: Credential, id: Given<Int>) throws {
        let now = environment.time.now
        try environment.store.write { tx in
            let account = try authenticated(credential, at: now, in: tx)
            let id = try Rules.sessionNumber(id, "id")
            guard let session = try sessions.open(of: account.id, at: now, in: tx).first(where: { $0.number == id })
            else { throw AccountError(Self.errorCodes.sessionNotFound) }
            try end(session, at: now, in: tx)
        }
    }

    /// Ends all sessions except the current one.
    package func endOtherSessions(_ credential: Credential) throws -> EndedSessions {
        let now = environment.time.now
        return try environment.store.write { tx in
            let account = try authenticated(credential, at: now, in: tx)
            let others = try sessions.open(of: account.id, at: now, in: tx).filter { session in
                try !isCurrent(session, of: credential)
            }
            for session in others { try end(session, at: now, in: tx) }
            return EndedSessions(ended: others.count)
        }
    }

    /// Opens the session of a request that has registered the account or replaced its password. The address of the
    /// request is then known, as after a sign-in.
    func openSession(
        _ token: SecretToken,
        for account: Int,
        lasting lifetime: SessionLifetime = .standard,
        from origin: Origin,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try sessions.open(token, for: account, lasting: lifetime, from: origin, at: now, in: tx)
        try SignInLockout(Self.realm).succeed(account, from: origin, at: now, in: tx)
    }

    private func end(_ session: Session, at now: Timestamp, in tx: Transaction) throws {
        try tx.delete(Session.self, session.key)
        let detail = EventDetail(session: session.number)
        try audit.record(.sessionEnded, of: session.account, by: .account, detail: detail, at: now, in: tx)
    }

    private func isCurrent(_ session: Session, of credential: Credential) throws -> Bool {
        Self.token(in: credential).map { sessions.key(of: $0) == session.key } ?? false
    }
}
