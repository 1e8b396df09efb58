import Store

/// Changing and resetting passwords.
extension Operators {
    /// Changes the password and ends all sessions. Wrong current passwords are counted, separately from failed
    /// sign-ins.
    package func changePassword(
        session: SessionFields,
        current: Given<Password>,
        new: Given<Password>
    ) throws -> Progress<Void> {
        let account = try environment.store.read { try authenticated(session, at: environment.time.now, in: $0) }
        let current = try OperatorRules.password(current, "current_password")
        let new = try OperatorRules.password(new, "password")
        try check(new, for: account.person)
        return try verify(PasswordChange(session: session, current: current, new: new))
    }

    /// The data of a password change that is passed between phases.
    private struct PasswordChange {
        let session: SessionFields
        let current, new: Password
    }

    private func verify(_ change: PasswordChange) throws -> Progress<Void> {
        let now = environment.time.now
        let account = try environment.store.read { try unlockedAccount(change, at: now, in: $0) }
        let known = PasswordHash(text: account.passwordHash)
        return .verify(change.current, against: known) { isRight, apis in
            guard isRight else { return try apis.operators.apply(change, known: known, newHash: nil) }
            return .hash(change.new) { hash, apis in try apis.operators.apply(change, known: known, newHash: hash) }
        }
    }

    /// Sets the new password, or counts a failure.
    ///
    /// - Parameters:
    ///   - known: the hash that the current password was verified against.
    ///   - newHash: the hash of the new password; nil if the current password was wrong.
    private func apply(_ change: PasswordChange, known: PasswordHash, newHash: PasswordHash?) throws -> Progress<Void> {
        let now = environment.time.now
        let isFinished = try environment.store.write { tx in
            // Another process may have set a lock or changed the password meanwhile, so both are checked again.
            let account = try unlockedAccount(change, at: now, in: tx)
            guard account.passwordHash == known.text else { return false }
            guard let newHash else {
                throw Refusal(AccountError(ErrorCode.Operators.wrongPassword)) { [id = account.id] tx in
                    try Lockout(.operators, .passwordChange).fail(id, at: now, in: tx)
                }
            }
            try set(newHash, of: account, in: tx)
            return true
        }
        return isFinished ? .done(()) : try verify(change)
    }

    /// The operator, if the account is not locked against password changes.
    private func unlockedAccount(_ change: PasswordChange, at now: Timestamp, in tx: Transaction) throws -> Operator {
        let account = try authenticated(change.session, at: now, in: tx)
        if let seconds = try Lockout(.operators, .passwordChange).secondsLeft(for: account.id, at: now, in: tx) {
            throw AccountError(ErrorCode.Operators.tooManyAttempts, retryAfter: seconds)
        }
        return account
    }

    /// Mails a password reset code if the email has an account. Otherwise does the same amount of work, so that the
    /// response time does not reveal whether the account exists.
    package func resetPassword(email: Given<String>) throws {
        let email = try OperatorRules.email(email, "email")
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            if let account = try self.account(of: email, in: tx) {
                // If the quota refuses the mail, an anonymous request gets its usual reply.
                _ = try send(.reset, mail, to: account, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.operatorsReset, to: email, mail, at: now, in: tx)
            }
        }
    }

    /// Sets a new password with a mailed code. The code proves the address, so the email becomes confirmed too.
    package func completeReset(code: Given<String>, password: Given<Password>) throws -> Progress<Void> {
        let code = try OperatorRules.code(code, "code")
        let password = try OperatorRules.password(password, "password")
        // An invalid code is refused before a password is hashed.
        let now = environment.time.now
        let account = try environment.store.read { tx in
            let invalid = AccountError(ErrorCode.Operators.codeInvalid)
            let id = try codes.find(.reset, code, at: now, in: tx, orThrow: invalid)
            guard let account = try tx.get(Operator.self, Key(id)) else { throw invalid }
            return account
        }
        try check(password, for: account.person)
        return .hash(password) { hash, apis in .done(try apis.operators.completeReset(code, hash)) }
    }

    private func completeReset(_ code: String, _ hash: PasswordHash) throws {
        let now = environment.time.now
        try environment.store.write { tx in
            let invalid = AccountError(ErrorCode.Operators.codeInvalid)
            let id = try codes.redeem(.reset, code, at: now, in: tx, orThrow: invalid)
            guard var account = try tx.get(Operator.self, Key(id)) else { throw invalid }
            account.isConfirmed = true
            try set(hash, of: account, in: tx)
        }
    }

    /// Throws the errors of a new password that the password policy refuses.
    private func check(_ password: Password, for person: Person) throws {
        try check(password, email: person.email, first: person.firstName, last: person.lastName)
    }

    /// Throws the errors of a new password that the password policy refuses.
    func check(_ password: Password, email: String, first: String, last: String) throws {
        try passwordPolicy.check(password, email: email, names: [first, last]) { fault in
            AccountError(OperatorRules.code(of: fault), field: "password")
        }
    }

    /// Sets a password, ends all sessions and unused codes, and clears the locks.
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
