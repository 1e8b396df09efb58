import Store

/// An account API in which a mailed code is enough to confirm an address or to set a new password.
///
/// In `Care` it is not: a code proves an address only for the holder of an access token, and a forgotten password is
/// replaced by a temporary one.
package protocol MailedCodeAPI: AccountAPI {
    /// The name of the param that contains a mailed code.
    static var codeParam: String { get }
    /// The kind of the mail with a code that sets a new password.
    static var resetMail: MailKind { get }
}

extension MailedCodeAPI {
    /// Confirms the email that a code was mailed to, and returns the email. A used code returns the same result for a
    /// day.
    package func confirmEmail(code: Given<String>) throws -> String {
        let code = try Rules.code(code, Self.codeParam)
        let now = environment.time.now
        return try environment.store.write { tx in
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            let id = try codes.redeem(Self.confirmation.purpose, code, at: now, in: tx, orThrow: invalid)
            guard let account = try tx.get(Account.self, Key(id)) else { throw invalid }
            if !account.isEmailProven { _ = try confirmed(account, by: .anonymous, at: now, in: tx) }
            return account.email
        }
    }

    /// Mails a code that sets a new password if the email has an account. Otherwise does the same amount of work, so
    /// that the response time does not reveal whether the account exists.
    package func resetPassword(email: Given<String>, client: Given<OriginFields> = .absent) throws {
        let email = try Rules.email(email, "email")
        let origin = try Rules.origin(client)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            tx.prefetch { announceMail(Self.resetMail, .reset, to: email, from: origin, to: &$0) }
            try environment.hashKey.learn(in: tx)
            // If a quota refuses the request, it gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else { return }
            if let account = try enabledAccount(of: email, in: tx) {
                // If the quota refuses the mail, an anonymous request gets its usual reply, and leaves no event.
                guard try post(Self.resetMail, .reset, mail, to: account, at: now, in: tx) == nil else { return }
                try audit.record(.resetRequested, of: account.id, by: .anonymous, from: origin, at: now, in: tx)
            } else {
                try environment.outbox.postDecoy(
                    Self.resetMail,
                    .reset,
                    to: email,
                    eventFrom: origin,
                    mail,
                    at: now,
                    in: tx
                )
            }
        }
    }

    /// Sets a new password with a mailed code, ends all sessions, and deletes unused codes and the lock. The code
    /// proves the address, so the email becomes confirmed too.
    package func completeReset(
        code: Given<String>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        let code = try Rules.code(code, Self.codeParam)
        let password = try Rules.password(password, "password")
        let origin = try Rules.origin(client)
        // An invalid code is refused before a password is hashed.
        let now = environment.time.now
        let account = try environment.store.read { tx in
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            let id = try codes.find(.reset, code, at: now, in: tx, orThrow: invalid)
            guard let account = try tx.get(Account.self, Key(id)) else { throw invalid }
            return account
        }
        try checkPolicy(password, for: account)
        return .hash(password) { hash, apis in .done(try Self(from: apis).completeReset(code, hash, from: origin)) }
    }

    private func completeReset(_ code: String, _ hash: PasswordHash, from origin: Origin) throws {
        let (now, notice) = (environment.time.now, MailSecrets(environment.random))
        try environment.store.write { tx in
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            let id = try codes.redeem(.reset, code, at: now, in: tx, orThrow: invalid)
            guard var account = try tx.get(Account.self, Key(id)) else { throw invalid }
            if !account.isEmailProven { try audit.record(.confirmed, of: id, by: .anonymous, at: now, in: tx) }
            account.proveEmail(account.email)
            try replacePassword(of: &account, by: hash, notice: notice, at: now, in: tx)
            try audit.record(.passwordReset, of: id, by: .anonymous, from: origin, at: now, in: tx)
        }
    }
}
