import Store

/// Registering, confirming, signing in and out.
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
                person: Person(
                    id: try tx.next(Person.counter),
                    created: now,
                    firstName: person.first,
                    lastName: person.last,
                    email: person.email.text
                ),
                passwordHash: hash.text,
                isConfirmed: !confirmsEmail,
                lastChange: 0,
                locale: locale
            )
            try tx.insert(account)
            try openSession(session, for: id, from: origin, at: now, in: tx)
            if confirmsEmail, let seconds = try send(.confirm, mail, to: account, at: now, in: tx) {
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

    /// Confirms the email that a code was mailed to, and returns the email. A used code returns the same result for a
    /// day.
    package func confirmEmail(code: Given<String>) throws -> String {
        let code = try OperatorRules.code(code, "code")
        let now = environment.time.now
        return try environment.store.write { tx in
            let invalid = AccountError(ErrorCode.Operators.codeInvalid)
            let id = try codes.redeem(.confirm, code, at: now, in: tx, orThrow: invalid)
            guard var account = try tx.get(Operator.self, Key(id)) else { throw invalid }
            if !account.isConfirmed {
                account.isConfirmed = true
                try tx.update(account)
                try audit.record(.confirmed, of: id, by: .anonymous, at: now, in: tx)
            }
            return account.person.email
        }
    }

    /// Mails a new confirmation code if the email has an account that is not confirmed. Otherwise does the same amount
    /// of work, so that the response time does not reveal whether the account exists.
    package func resendConfirmation(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try OperatorRules.email(email, "email")
        let origin = try OperatorRules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let account = try self.account(of: email, in: tx), !account.isConfirmed {
                // If the quota refuses the mail, an anonymous request gets its usual reply.
                _ = try send(.confirm, mail, to: account, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.operatorsConfirmation, to: email, mail, at: now, in: tx)
            }
        }
    }

    func account(of email: EmailAddress, in tx: Transaction) throws -> Operator? {
        try tx.find(Operator.byEmail, Key(email.canonical))
    }

    /// Mails a code to the account's address, unless the mail quota is reached.
    ///
    /// - Returns: nil if the mail was posted; else the seconds until the quota admits one. The previous code then stays
    ///   valid.
    func send(
        _ purpose: MailedCodes.Purpose,
        _ mail: MailSecrets,
        to account: Operator,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        let kind: MailKind = purpose == .confirm ? .operatorsConfirmation : .operatorsReset
        guard let address = EmailAddress(account.person.email) else { return nil }
        return try environment.outbox.post(
            kind,
            purpose,
            of: codes,
            for: account.id,
            to: address,
            locale: account.locale,
            mail,
            at: now,
            in: tx
        )
    }
}
