import Store

/// Proving that an address is the user's. Nothing waits for it but what rests on the address: shares with it.
extension Care {
    /// Proves the address that a code was mailed to, and gives it; for a day after its use the code gives it again.
    ///
    /// The token is asked for so that a link which the true owner, or a scanner of mails, opens proves nothing for a
    /// stranger who registered with the address.
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

    /// Mails a new code, where there is an account whose address is not proven; else does as much work.
    package func resendConfirmation(email: Given<String>) throws {
        let (address, emailErrors) = CareRules.email(email)
        if let error = AccountError(all: emailErrors) { throw error }
        guard let address else { throw AccountError(ErrorCode.Care.invalidEmail) }
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            if let user = try self.user(of: address, in: tx), !user.isProven {
                // An anonymous request is answered as ever where the quota refuses the mail.
                _ = try mailConfirmation(mail, to: user, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(.careConfirmation, to: address, mail, at: now, in: tx)
            }
        }
    }

    /// Mails a code that proves the user's address, unless too many were mailed: then the result is in how many seconds
    /// one may be.
    func mailConfirmation(_ mail: MailSecrets, to user: CareUser, at now: Timestamp, in tx: Transaction) throws -> Int?
    {
        guard let address = EmailAddress(user.email) else { return nil }
        return try environment.outbox.post(
            .careConfirmation,
            .confirm,
            of: codes,
            for: user.id,
            to: address,
            mail,
            at: now,
            in: tx
        )
    }

    /// Notes that the address is the user's, and opens the shares that wait for it.
    func prove(_ user: CareUser, in tx: Transaction) throws {
        guard var user = try tx.get(CareUser.self, user.key), !user.isProven else { return }
        user.isProven = true
        try tx.update(user)
        try begin(CareJob(.opening, user.id), in: tx)
    }
}
