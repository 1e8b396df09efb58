import Store

/// Changing and resetting passwords.
extension Operators {
    /// Changes the password and ends all sessions. Wrong guesses at the current one are counted, but apart from those at
    /// signing in.
    package func changePassword(session: SessionFields, current: Given<String>, new: Given<String>) throws {
        let now = environment.time.now
        let lockout = Lockout(.operators, .passwordChange)
        let account = try environment.store.transact { try authenticated(session, at: now, in: $0) }
        let current = try OperatorRules.password(current, "current_password")
        let new = try OperatorRules.password(new, "password")
        if let seconds = try environment.store.transact({ try lockout.secondsLeft(for: account.id, at: now, in: $0) }) {
            throw AccountError(ErrorCode.Operators.tooManyAttempts, retryAfter: seconds)
        }
        let isRight = try environment.hasher.verify(current, against: PasswordHash(text: account.passwordHash))
        let hash = isRight ? try environment.hasher.hash(new) : nil
        try environment.transact { tx -> Result<Void, AccountError> in
            // A password that was changed meanwhile has ended this session too.
            let account = try authenticated(session, at: now, in: tx)
            guard let hash else {
                try lockout.fail(account.id, at: now, in: tx)
                return .failure(AccountError(ErrorCode.Operators.wrongPassword))
            }
            try set(hash, of: account, in: tx)
            return .success(())
        }
    }

    /// Mails a code to set a new password with, where there is such an account.
    package func resetPassword(email: Given<String>) throws {
        let email = try OperatorRules.email(email, "email")
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.transact { tx in
            guard let account = try self.account(of: email, in: tx) else { return }
            try send(.reset, mail, to: account, at: now, in: tx)
        }
    }

    /// Sets a new password with a mailed code. As the code proves the address, the email is confirmed with it.
    package func completeReset(code: Given<String>, password: Given<String>) throws {
        let code = try OperatorRules.text(code, "code", charactersMax: Limits.codeCharactersMax)
        let password = try OperatorRules.password(password, "password")
        let hash = try environment.hasher.hash(password)
        let now = environment.time.now
        try environment.transact { tx -> Result<Void, AccountError> in
            guard let id = try codes.redeem(.reset, code, at: now, in: tx),
                var account = try tx.get(Operator.self, Key(id))
            else { return .failure(AccountError(ErrorCode.Operators.codeInvalid)) }
            account.isConfirmed = true
            try set(hash, of: account, in: tx)
            return .success(())
        }
    }

    /// Sets a password and ends all that the old one gave: sessions, codes that are on their way, and locks.
    private func set(_ hash: PasswordHash, of account: Operator, in tx: Transaction) throws {
        var account = account
        account.passwordHash = hash.text
        try tx.update(account)
        try sessions.endAll(of: account.id, in: tx)
        try codes.end(account.isConfirmed ? [.confirm, .reset] : [.reset], of: account.id, in: tx)
        try Lockout(.operators).clear(account.id, in: tx)
        try Lockout(.operators, .passwordChange).clear(account.id, in: tx)
    }
}
