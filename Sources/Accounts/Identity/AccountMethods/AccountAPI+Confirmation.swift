import Store

/// Proving that mail to an account's address reaches its owner, with a mailed code.
extension AccountAPI {
    /// Mails a new code if the email has an account whose address is not proven. Otherwise does the same amount of
    /// work, so that the response time does not reveal whether the account exists.
    package func resendConfirmation(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try Rules.email(email, "email")
        let origin = try Rules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        let (purpose, kind) = Self.confirmation
        try environment.store.write { tx in
            tx.prefetch { announceMail(kind, purpose, to: email, from: origin, to: &$0) }
            try environment.hashKey.learn(in: tx)
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let account = try enabledAccount(of: email, in: tx), !account.isEmailProven {
                // If the quota refuses the mail, an anonymous request gets its usual reply.
                _ = try mailConfirmation(mail, to: account, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(kind, purpose, to: email, mail, at: now, in: tx)
            }
        }
    }

    /// Mails a code that proves the account's address, unless the mail quota is reached.
    ///
    /// - Returns: nil if the mail was posted; else the seconds until the quota admits one. The previous code then stays
    ///   valid.
    func mailConfirmation(
        _ mail: MailSecrets,
        to account: Account,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        try post(Self.confirmation.mail, Self.confirmation.purpose, mail, to: account, at: now, in: tx)
    }

    /// Announces what a request without a credential reads that mails a code, if the email has an account, or else
    /// does the same amount of work: everything in both cases, so that it takes a server as long.
    func announceMail(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        to email: EmailAddress,
        from origin: Origin,
        to announced: inout Prefetch
    ) {
        announced.find(Account.byEmail, Key(email.canonical), with: [codes.companion(purpose)])
        environment.outbox.announce(kind, to: email, from: origin, environment.hashKey.key, to: &announced)
    }

    /// Mails a code to the account's address, as `mailConfirmation` does.
    func post(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        _ mail: MailSecrets,
        to account: Account,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        guard let address = EmailAddress(account.email) else { return nil }
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

    /// The account with an email, for a request that needs no credential and mails something; nil if the account is
    /// disabled.
    func enabledAccount(of email: EmailAddress, in tx: Transaction) throws -> Account? {
        try account(of: email, in: tx).flatMap { $0.disabled == nil ? $0 : nil }
    }

    /// The account with an email.
    func account(of email: EmailAddress, in tx: Transaction) throws -> Account? {
        try tx.find(Account.byEmail, Key(email.canonical))
    }
}
