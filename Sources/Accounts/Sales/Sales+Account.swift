import Store

/// Signing in, changing the caller's name, email verification and password reset.
extension Sales {
    /// Signs in and opens a session.
    package func authenticate(
        email: Given<String>,
        password: Given<Password>,
        lifetime: SessionLifetimeFields = .absent,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<SignedIn> {
        let email = try SalesRules.email(email)
        let password = try SalesRules.password(password)
        let key = newToken()
        return try signIn(
            email: email.canonical,
            password: password,
            token: key,
            lifetime: SalesRules.lifetime(lifetime),
            origin: SalesRules.origin(client)
        ).map { user in SignedIn(user: user, key: key) }
    }

    /// Changes the name of the account that an API key belongs to.
    package func updateMe(apiKey: Given<String>, name: Given<NameFields>) throws {
        let now = environment.time.now
        try environment.store.write { tx in
            var user = try authenticated(apiKey, at: now, in: tx)
            let before = user
            (user.firstName, user.lastName) = try SalesRules.name(name)
            guard user != before else { return }
            try tx.update(user)
            try audit.record(.profileChanged, of: user.id, by: .account, at: now, in: tx)
        }
    }

    /// Verifies the email that a token was mailed to, and returns the email. A used token returns the same result for a
    /// day.
    package func verify(token: Given<String>) throws -> String {
        let token = try SalesRules.code(token, "token")
        let now = environment.time.now
        return try environment.store.write { tx in
            let invalid = AccountError(ErrorCode.Sales.tokenInvalid)
            let id = try codes.redeem(.verify, token, at: now, in: tx, orThrow: invalid)
            guard var user = try tx.get(SalesUser.self, Key(id)) else { throw invalid }
            if !user.isVerified {
                user.isVerified = true
                try tx.update(user)
                try audit.record(.confirmed, of: id, by: .anonymous, at: now, in: tx)
            }
            return user.email
        }
    }

    /// Mails a new verification token if the email has an account that is not verified. Otherwise does the same amount
    /// of work, so that the response time does not reveal whether the account exists.
    package func resendVerification(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try SalesRules.email(email)
        let origin = try SalesRules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let user = try user(of: email, in: tx), !user.isVerified {
                // If the quota refuses the mail, an anonymous request gets its usual reply.
                _ = try send(.verify, mail, to: user, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.salesVerification, to: email, mail, at: now, in: tx)
            }
        }
    }

    /// Mails a password reset token if the email has an account. Otherwise does the same amount of work, so that the
    /// response time does not reveal whether the account exists.
    package func reset(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try SalesRules.email(email)
        let origin = try SalesRules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let user = try user(of: email, in: tx) {
                // If the quota refuses the mail, an anonymous request gets its usual reply, and leaves no event.
                guard try send(.reset, mail, to: user, at: now, in: tx) == nil else { return }
                try audit.record(.resetRequested, of: user.id, by: .anonymous, from: origin, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.salesReset, to: email, eventFrom: origin, mail, at: now, in: tx)
            }
        }
    }

    /// Sets a new password with a mailed token, ends all sessions and unused codes, and clears the lock. The token
    /// proves the address, so the email becomes verified too.
    package func completeReset(
        token: Given<String>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        let token = try SalesRules.code(token, "token")
        let password = try SalesRules.password(password)
        let origin = try SalesRules.origin(client)
        // An invalid token is refused before a password is hashed.
        let now = environment.time.now
        let user = try environment.store.read { tx in
            let invalid = AccountError(ErrorCode.Sales.tokenInvalid)
            let id = try codes.find(.reset, token, at: now, in: tx, orThrow: invalid)
            guard let user = try tx.get(SalesUser.self, Key(id)) else { throw invalid }
            return user
        }
        try checkPolicy(password, for: user)
        return .hash(password) { hash, apis in .done(try apis.sales.completeReset(token, hash, from: origin)) }
    }

    private func completeReset(_ token: String, _ hash: PasswordHash, from origin: Origin) throws {
        let (now, notice) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            let invalid = AccountError(ErrorCode.Sales.tokenInvalid)
            let id = try codes.redeem(.reset, token, at: now, in: tx, orThrow: invalid)
            guard var user = try tx.get(SalesUser.self, Key(id)) else { throw invalid }
            if !user.isVerified { try audit.record(.confirmed, of: id, by: .anonymous, at: now, in: tx) }
            user.isVerified = true
            try replacePassword(of: &user, by: hash, notice: notice, in: tx)
            try audit.record(.passwordReset, of: id, by: .anonymous, from: origin, at: now, in: tx)
        }
    }
}
