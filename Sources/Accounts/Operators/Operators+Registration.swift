import Store

/// Registering and signing in.
extension Operators {
    /// Registers an operator, mails a confirmation code and opens a session. The session is valid before the email is
    /// confirmed.
    package func register(
        person: Given<PersonFields>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent,
        locale: Given<String> = .absent
    ) throws -> Progress<SignedIn> {
        let person = try OperatorRules.person(person, at: "user")
        let password = try OperatorRules.password(password, "password")
        let origin = try OperatorRules.origin(client)
        let locale = try OperatorRules.locale(locale, "locale")
        try checkPolicy(password, email: person.email.text, names: [person.first, person.last])
        // This check runs before the password is hashed, and again after it: a refusal need not cost a hash.
        let now = environment.time.now
        try environment.store.read { tx in
            try refuseTaken(person.email, at: now, in: tx)
            if let seconds = try environment.outbox.secondsUntilRequest(from: origin, at: now, in: tx) {
                throw AccountError(ErrorCode.Operators.tooManyMails, retryAfter: seconds)
            }
        }
        return .hash(password) { hash, apis in
            .done(try apis.operators.register(person, hash, from: origin, locale: locale))
        }
    }

    private func register(
        _ person: ValidPerson,
        _ hash: PasswordHash,
        from origin: Origin,
        locale: String?
    ) throws -> SignedIn {
        let (now, session) = (environment.time.now, newToken())
        let mail = MailSecrets(environment.random)
        let account = try environment.store.write { tx in
            try refuseTaken(person.email, at: now, in: tx)
            if let seconds = try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) {
                throw AccountError(ErrorCode.Operators.tooManyMails, retryAfter: seconds)
            }
            let id = try tx.nextNumber(of: Operator.self)
            let account = Operator(
                id: id,
                created: now,
                person: try Person(person, at: now, in: tx),
                passwordHash: hash.text,
                isConfirmed: !confirmsEmail,
                lastChange: 0,
                locale: locale
            )
            try tx.insert(account)
            try openSession(session, for: id, from: origin, at: now, in: tx)
            if confirmsEmail, let seconds = try mailConfirmation(mail, to: account, at: now, in: tx) {
                throw AccountError(ErrorCode.Operators.tooManyMails, retryAfter: seconds)
            }
            try audit.record(.registered, of: id, by: .anonymous, from: origin, at: now, in: tx)
            return account
        }
        return SignedIn(account: account, session: session)
    }

    private func refuseTaken(_ email: EmailAddress, at now: Timestamp, in tx: Transaction) throws {
        if try isTaken(email, at: now, in: tx) { throw AccountError(ErrorCode.Operators.operatorExists) }
    }

    /// Signs an operator in and opens a new session.
    package func signIn(
        email: Given<String>,
        password: Given<Password>,
        lifetime: SessionLifetimeFields = .absent,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<SignedIn> {
        let email = try OperatorRules.email(email, "email")
        let password = try OperatorRules.password(password, "password")
        let session = newToken()
        return try signIn(
            email: email.canonical,
            password: password,
            token: session,
            lifetime: OperatorRules.lifetime(lifetime),
            origin: OperatorRules.origin(client)
        ).map { account in SignedIn(account: account, session: session) }
    }
}
