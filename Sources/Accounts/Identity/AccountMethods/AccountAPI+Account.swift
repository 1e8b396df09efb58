import Store

/// The caller's account.
extension AccountAPI {
    /// The account that a credential belongs to.
    package func account(_ credential: Credential) throws -> Account {
        let now = environment.time.now
        return try environment.store.read { try authenticated(credential, at: now, in: $0) }
    }

    /// Ends the session that authenticates the request.
    package func signOut(_ credential: Credential) throws {
        let now = environment.time.now
        try environment.store.write { tx in
            let account = try authenticated(credential, at: now, in: tx)
            if let token = Self.token(in: credential) { try sessions.end(token, in: tx) }
            try audit.record(.signedOut, of: account.id, by: .account, at: now, in: tx)
        }
    }
}
