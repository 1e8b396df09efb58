import Store

/// Resetting passwords, and changing the names.
extension Operators {
    /// Mails a password reset code if the email has an account. Otherwise does the same amount of work, so that the
    /// response time does not reveal whether the account exists.
    package func resetPassword(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try OperatorRules.email(email, "email")
        let origin = try OperatorRules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let account = try self.account(of: email, in: tx) {
                // If the quota refuses the mail, an anonymous request gets its usual reply, and leaves no event.
                guard try send(.reset, mail, to: account, at: now, in: tx) == nil else { return }
                try audit.record(.resetRequested, of: account.id, by: .anonymous, from: origin, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.operatorsReset, to: email, eventFrom: origin, mail, at: now, in: tx)
            }
        }
    }

    /// Sets a new password with a mailed code. The code proves the address, so the email becomes confirmed too.
    package func completeReset(
        code: Given<String>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        let code = try OperatorRules.code(code, "code")
        let password = try OperatorRules.password(password, "password")
        let origin = try OperatorRules.origin(client)
        // An invalid code is refused before a password is hashed.
        let now = environment.time.now
        let account = try environment.store.read { tx in
            let invalid = AccountError(ErrorCode.Operators.codeInvalid)
            let id = try codes.find(.reset, code, at: now, in: tx, orThrow: invalid)
            guard let account = try tx.get(Operator.self, Key(id)) else { throw invalid }
            return account
        }
        try checkPolicy(password, for: account)
        return .hash(password) { hash, apis in .done(try apis.operators.completeReset(code, hash, from: origin)) }
    }

    private func completeReset(_ code: String, _ hash: PasswordHash, from origin: Origin) throws {
        let (now, notice) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            let invalid = AccountError(ErrorCode.Operators.codeInvalid)
            let id = try codes.redeem(.reset, code, at: now, in: tx, orThrow: invalid)
            guard var account = try tx.get(Operator.self, Key(id)) else { throw invalid }
            if !account.isConfirmed { try audit.record(.confirmed, of: id, by: .anonymous, at: now, in: tx) }
            account.isConfirmed = true
            try replacePassword(of: &account, by: hash, notice: notice, in: tx)
            try audit.record(.passwordReset, of: id, by: .anonymous, from: origin, at: now, in: tx)
        }
    }

    /// Changes the given names of the operator. Absent properties stay unchanged.
    package func update(session: SessionFields, _ given: Given<PersonFields>) throws -> Operator {
        let now = environment.time.now
        return try environment.store.write { tx in
            var account = try authenticated(session, at: now, in: tx)
            let given = try OperatorRules.present(given, "user")
            let before = account
            try account.person.rename(given, at: "user")
            guard account != before else { return account }
            try tx.update(account)
            try audit.record(.profileChanged, of: account.id, by: .account, at: now, in: tx)
            return account
        }
    }
}

extension Person {
    /// Changes the given names. Absent properties stay unchanged.
    ///
    /// - Parameter path: the path of the names in the request.
    mutating func rename(_ given: PersonFields, at path: String) throws {
        if !given.firstName.isAbsent {
            let field = "\(path).first_name"
            firstName = try OperatorRules.text(given.firstName, field, charactersMax: Limits.nameCharactersMax)
        }
        if !given.lastName.isAbsent {
            let field = "\(path).last_name"
            lastName = try OperatorRules.text(given.lastName, field, charactersMax: Limits.nameCharactersMax)
        }
    }
}
