import Store

/// Changing and resetting passwords.
extension Operators {
    /// Changes the password and ends all sessions. Wrong guesses at the current one are counted, but apart from those at
    /// signing in.
    package func changePassword(session: SessionFields, current: Given<Password>, new: Given<Password>) throws {
        let lockout = Lockout(.operators, .passwordChange)
        /// The operator, where the password may be judged now.
        func admitted(at now: Timestamp, in tx: Transaction) throws -> Operator {
            let account = try authenticated(session, at: now, in: tx)
            if let seconds = try lockout.secondsLeft(for: account.id, at: now, in: tx) {
                throw AccountError(ErrorCode.Operators.tooManyAttempts, retryAfter: seconds)
            }
            return account
        }
        _ = try environment.store.transact { try authenticated(session, at: environment.time.now, in: $0) }
        let current = try OperatorRules.password(current, "current_password")
        let new = try OperatorRules.password(new, "password")
        while true {
            let now = environment.time.now
            let known = try environment.store.transact { try admitted(at: now, in: $0) }
            let isRight = try environment.hasher.verify(current, against: PasswordHash(text: known.passwordHash))
            let hash = isRight ? try environment.hasher.hash(new) : nil
            let isJudged = try environment.transact { tx -> Result<Bool, AccountError> in
                // The lock that another process has set meanwhile counts, as does the password.
                let account = try admitted(at: now, in: tx)
                guard account.passwordHash == known.passwordHash else { return .success(false) }
                guard let hash else {
                    try lockout.fail(account.id, at: now, in: tx)
                    return .failure(AccountError(ErrorCode.Operators.wrongPassword))
                }
                try set(hash, of: account, in: tx)
                return .success(true)
            }
            if isJudged { return }
        }
    }

    /// Mails a code to set a new password with, where there is such an account; else does as much work.
    package func resetPassword(email: Given<String>) throws {
        let email = try OperatorRules.email(email, "email")
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.transact { tx in
            if let account = try self.account(of: email, in: tx) {
                // An anonymous request is answered as ever where the quota refuses the mail.
                _ = try send(.reset, mail, to: account, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.operatorsReset, to: email, mail, at: now, in: tx)
            }
        }
    }

    /// Sets a new password with a mailed code. As the code proves the address, the email is confirmed with it.
    package func completeReset(code: Given<String>, password: Given<Password>) throws {
        let code = try OperatorRules.code(code, "code")
        let password = try OperatorRules.password(password, "password")
        let invalid = AccountError(ErrorCode.Operators.codeInvalid)
        // A code that is no good is refused before it costs a hash.
        let start = environment.time.now
        guard try environment.store.transact({ try codes.find(.reset, code, at: start, in: $0) }) != nil else {
            throw invalid
        }
        let hash = try environment.hasher.hash(password)
        let now = environment.time.now
        try environment.store.transact { tx in
            guard let id = try codes.redeem(.reset, code, at: now, in: tx),
                var account = try tx.get(Operator.self, Key(id))
            else { throw invalid }
            account.isConfirmed = true
            try set(hash, of: account, in: tx)
        }
    }

    /// Sets a password and ends all that the old one gave: sessions, codes that are out, and locks.
    private func set(_ hash: PasswordHash, of account: Operator, in tx: Transaction) throws {
        var account = account
        account.passwordHash = hash.text
        try tx.update(account)
        try sessions.endAll(of: account.id, in: tx)
        try codes.endUnused(of: account.id, in: tx)
        try Lockout(.operators).clear(account.id, in: tx)
        try Lockout(.operators, .passwordChange).clear(account.id, in: tx)
    }
}
