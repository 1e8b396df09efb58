import Store

/// Signing in, and changing the caller's name.
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
    package func updateMe(apiKey: Given<BearerToken>, name: Given<NameFields>) throws {
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
}
