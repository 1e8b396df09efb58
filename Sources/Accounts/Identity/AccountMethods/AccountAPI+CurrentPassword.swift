import Store

/// Methods for which an open session is not enough: the request must contain the current password too.
///
/// Wrong passwords are counted separately from failed sign-ins, and lock only these methods.
extension AccountAPI {
    /// Verifies the current password.
    package func checkPassword(
        _ credential: Credential,
        currentPassword: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        try authenticate(credential)
        let origin = try Rules.origin(client)
        let current = try Rules.password(currentPassword, "current_password")
        let action = PasswordedRequest<Self, Void>.Action.change { api, account, _, tx in
            try api.deleteFailureCount(of: account, in: tx)
        }
        return try verify(PasswordedRequest(credential: credential, current: current, origin: origin, action: action))
    }

    /// Changes the password, ends all sessions, and opens a new one.
    ///
    /// - Returns: the token of the new session.
    package func changePassword(
        _ credential: Credential,
        currentPassword: Given<Password>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<SecretToken> {
        let account = try authenticate(credential)
        let origin = try Rules.origin(client)
        let current = try Rules.password(currentPassword, "current_password")
        let new = try Rules.password(password, "password")
        try checkPolicy(new, for: account)
        let action = PasswordedRequest<Self, SecretToken>.Action.hashing(new) {
            [token = newToken(), notice = MailSecrets(environment.random)] api, account, hash, now, tx in
            var account = account
            // The host's decision how long the session lasts holds for the new one too.
            let lifetime = try Self.token(in: credential).flatMap { try api.sessions.session(holding: $0, in: tx) }?
                .lifetime
            try api.replacePassword(of: &account, by: hash, notice: notice, at: now, in: tx)
            try api.openSession(token, for: account.id, lasting: lifetime ?? .standard, from: origin, at: now, in: tx)
            try api.audit.record(.passwordChanged, of: account.id, by: .account, from: origin, at: now, in: tx)
            return token
        }
        return try verify(PasswordedRequest(credential: credential, current: current, origin: origin, action: action))
    }

    /// Refuses a request with a wrong credential before its other params are checked.
    @discardableResult
    func authenticate(_ credential: Credential) throws -> Account {
        let now = environment.time.now
        return try environment.store.read { try authenticated(credential, at: now, in: $0) }
    }
}
