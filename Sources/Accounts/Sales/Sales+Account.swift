import Store

/// Signing in and out, one's own account, verifying and resetting.
extension Sales {
    /// Signs in and opens a session.
    package func authenticate(email: Given<String>, password: Given<String>) throws -> (
        user: SalesUser, key: SecretToken
    ) {
        let email = try SalesRules.email(email)
        let password = try SalesRules.password(password)
        let key = newKey()
        return (try signIn(email: email.canonical, password: password, token: key), key)
    }

    /// The account that a key is of.
    package func me(apiKey: Given<String>) throws -> SalesUser {
        let now = environment.time.now
        return try environment.store.transact { try authenticated(apiKey, at: now, in: $0) }
    }

    /// Changes the name of the account that a key is of.
    package func updateMe(apiKey: Given<String>, name: Given<NameFields>) throws {
        let now = environment.time.now
        try environment.store.transact { tx in
            var user = try authenticated(apiKey, at: now, in: tx)
            (user.firstName, user.lastName) = try SalesRules.name(name)
            try tx.update(user)
        }
    }

    /// Ends the session of a key.
    package func signOut(apiKey: Given<String>) throws {
        let now = environment.time.now
        try environment.store.transact { tx in
            _ = try authenticated(apiKey, at: now, in: tx)
            if let key = apiKey.value { try sessions.end(key, in: tx) }
        }
    }

    /// Verifies the email that a token was mailed to, and gives it.
    package func verify(token: Given<String>) throws -> String {
        let token = try SalesRules.text(token, "token", charactersMax: Limits.codeCharactersMax)
        let now = environment.time.now
        return try environment.transact { tx in
            guard let id = try codes.redeem(.verify, token, at: now, in: tx),
                var user = try tx.get(SalesUser.self, Key(id))
            else { return .failure(AccountError(ErrorCode.Sales.tokenInvalid)) }
            user.isVerified = true
            try tx.update(user)
            return .success(user.email)
        }
    }

    /// Mails a new verification token, where there is an account that waits for one.
    package func resendVerification(email: Given<String>) throws {
        let email = try SalesRules.email(email)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.transact { tx in
            guard let user = try user(of: email, in: tx), !user.isVerified else { return }
            try send(.verify, mail, to: user, at: now, in: tx)
        }
    }

    /// Mails a token to set a new password with, where there is such an account.
    package func reset(email: Given<String>) throws {
        let email = try SalesRules.email(email)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.transact { tx in
            guard let user = try user(of: email, in: tx) else { return }
            try send(.reset, mail, to: user, at: now, in: tx)
        }
    }

    /// Sets a new password with a mailed token, and ends all that the old one gave. As the token proves the address, the
    /// email is verified with it.
    package func completeReset(token: Given<String>, password: Given<String>) throws {
        let token = try SalesRules.text(token, "token", charactersMax: Limits.codeCharactersMax)
        let password = try SalesRules.password(password)
        let hash = try environment.hasher.hash(password)
        let now = environment.time.now
        try environment.transact { tx -> Result<Void, AccountError> in
            guard let id = try codes.redeem(.reset, token, at: now, in: tx),
                var user = try tx.get(SalesUser.self, Key(id))
            else { return .failure(AccountError(ErrorCode.Sales.tokenInvalid)) }
            user.passwordHash = hash.text
            user.isVerified = true
            try tx.update(user)
            try sessions.endAll(of: id, in: tx)
            try codes.end([.verify, .reset], of: id, in: tx)
            try Lockout(.sales).clear(id, in: tx)
            return .success(())
        }
    }
}
