import Store

/// Methods for which an open session is not enough: the request must contain the current password too.
///
/// Wrong passwords are counted separately from failed sign-ins, and lock only these methods.
extension AccountAPI {
    /// Verifies the current password.
    package func checkPassword(_ credential: Credential, currentPassword: Given<Password>) throws -> Progress<Void> {
        try authenticate(credential)
        let current = try Rules.password(currentPassword, "current_password")
        return try verify(PasswordedRequest(credential: credential, current: current, action: .change { _, _, _ in }))
    }

    /// Changes the password, ends all sessions, and opens a new one.
    ///
    /// - Returns: the token of the new session.
    package func changePassword(
        _ credential: Credential,
        currentPassword: Given<Password>,
        password: Given<Password>
    ) throws -> Progress<SecretToken> {
        try authenticate(credential)
        let current = try Rules.password(currentPassword, "current_password")
        let new = try Rules.password(password, "password")
        let action = PasswordedRequest<Self, SecretToken>.Action.hashing(new) {
            [token = newToken(), notice = MailSecrets(environment.random)] api, account, hash, tx in
            var account = account
            try api.replacePassword(of: &account, by: hash, notice: notice, in: tx)
            try api.sessions.open(token, for: account.id, at: api.environment.time.now, in: tx)
            return token
        }
        return try verify(PasswordedRequest(credential: credential, current: current, action: action))
    }

    /// Refuses a request with a wrong credential before its other params are checked.
    func authenticate(_ credential: Credential) throws {
        let now = environment.time.now
        _ = try environment.store.read { try authenticated(credential, at: now, in: $0) }
    }
}
