import Store

/// Proving that an address belongs to the user. Only shares with the address depend on it.
extension Care {
    /// Proves the address that a code was mailed to, and returns the address. A used code returns the same result for a
    /// day.
    ///
    /// The access token is required so that a stranger who registered with the address gains nothing if the true owner,
    /// or a mail scanner, opens the link in the mail.
    package func confirmEmail(_ token: Given<String>, code: Given<String>) throws -> String {
        let now = environment.time.now
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            let invalid = code.error(ErrorCode.Care.invalidCode)
            guard let code = code.code(),
                try codes.find(.confirm, code, at: now, in: tx, orThrow: invalid) == user.id
            else { throw invalid }
            _ = try codes.redeem(.confirm, code, at: now, in: tx, orThrow: invalid)
            if !user.isProven { try prove(user, in: tx) }
            return user.email
        }
    }

    /// Mails a new code if the email has an account whose address is not proven. Otherwise does the same amount of
    /// work, so that the response time does not reveal whether the account exists.
    package func resendConfirmation(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let (address, emailErrors) = CareRules.email(email)
        if let error = AccountError(all: emailErrors) { throw error }
        guard let address else { throw AccountError(ErrorCode.Care.invalidEmail) }
        let origin = try CareRules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let user = try self.user(of: address, in: tx), !user.isProven {
                // If the quota refuses the mail, an anonymous request gets its usual reply.
                _ = try mailConfirmation(mail, to: user, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.careConfirmation, to: address, mail, at: now, in: tx)
            }
        }
    }

    /// Mails a code that proves the user's address, unless the mail quota is reached.
    ///
    /// - Returns: nil if the mail was posted; else the seconds until the quota admits one.
    func mailConfirmation(_ mail: MailSecrets, to user: CareUser, at now: Timestamp, in tx: Transaction) throws -> Int?
    {
        guard let address = EmailAddress(user.email) else { return nil }
        return try environment.outbox.post(
            .careConfirmation,
            .confirm,
            of: codes,
            for: user.id,
            to: address,
            locale: user.locale,
            mail,
            at: now,
            in: tx
        )
    }

    /// Marks the address as proven, and opens the shares that wait for it.
    ///
    /// - Parameter source: who has proven it.
    func prove(_ user: CareUser, by source: AuditTrail.Source = .account, in tx: Transaction) throws {
        guard var user = try tx.get(CareUser.self, user.key), !user.isProven else { return }
        user.isProven = true
        try tx.update(user)
        try audit.record(.confirmed, of: user.id, by: source, at: environment.time.now, in: tx)
        try begin(CareJob(.opening, user.id, address: user.email.lowercased()), in: tx)
    }
}
