import Store

/// Changing the email of the caller's account.
///
/// Nothing changes before the code that is mailed to the new address is used. The previous address, if it is proven,
/// can be restored for a while: see `EmailReversals`.
extension AccountAPI {
    /// Mails a code to a new address, and a notice to the current one.
    ///
    /// If the address is taken, its owner gets a notice instead of the code. The rest of the work is the same: a code
    /// is stored that no mail contains. So neither the reply nor its time reveals whether the address is taken; only
    /// the mail in the store is some bytes shorter.
    package func changeEmail(
        _ credential: Credential,
        currentPassword: Given<Password>,
        email: Given<String>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        try authenticate(credential)
        let current = try Rules.password(currentPassword, "current_password")
        let address = try Rules.email(email, "email")
        let origin = try Rules.origin(client)
        let (mail, notice) = (MailSecrets(environment.random), MailSecrets(environment.random))
        let action = PasswordedRequest<Self, Void>.Action.change { api, account, tx in
            try api.clearFailures(of: account, in: tx)
            try api.requestEmail(address, for: account, from: origin, mail, notice, in: tx)
        }
        return try verify(PasswordedRequest(credential: credential, current: current, origin: origin, action: action))
    }

    private func requestEmail(
        _ address: EmailAddress,
        for account: Account,
        from origin: Origin,
        _ mail: MailSecrets,
        _ notice: MailSecrets,
        in tx: Transaction
    ) throws {
        let (now, outbox, mails) = (environment.time.now, environment.outbox, Self.realm.mails)
        if let seconds = try reversals.secondsUntilChange(of: account.id, at: now, in: tx) {
            throw AccountError(Self.errorCodes.tooManyEmailChanges, retryAfter: seconds)
        }
        let cause = MailCause(Self.realm, account: account.id)
        // Taken addresses are counted like others, so that a quota does not reveal them.
        if let seconds = try outbox.admit(mails.emailChange, to: address, from: cause, mail, at: now, in: tx) {
            throw AccountError(Self.errorCodes.tooManyMails, retryAfter: seconds)
        }
        let code = try codes.issue(.changeEmail, for: account.id, secret: mail.secret, at: now, in: tx)
        let seconds = MailedCodes.Purpose.changeEmail.seconds
        try tx.save(
            EmailChange(
                realm: Self.realm.rawValue,
                account: account.id,
                email: address.text,
                expires: now.adding(seconds: seconds)
            )
        )
        let isTaken = try isTaken(address, by: account.id, at: now, in: tx)
        let owner = try isTaken ? tx.find(Account.byEmail, Key(address.canonical)) : nil
        try outbox.post(
            isTaken ? mails.emailTaken : mails.emailChange,
            to: address,
            secret: isTaken ? "" : code,
            messageID: mail.messageID,
            goodFor: seconds,
            locale: (owner ?? account).locale,
            at: now,
            in: tx
        )
        try notify(account, of: mails.emailChangeRequested, notice, at: now, in: tx)
        try audit.record(.emailChangeRequested, of: account.id, by: .account, from: origin, at: now, in: tx)
    }

    /// Changes the email to the address that a code was mailed to. A used code returns the same result for a day.
    package func confirmEmailChange(_ credential: Credential, code: Given<String>) throws -> ConfirmedEmail {
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.write { tx in
            let account = try authenticated(credential, at: now, in: tx)
            let code = try Rules.code(code, "code")
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            guard try codes.find(.changeEmail, code, at: now, in: tx, orThrow: invalid) == account.id else {
                throw invalid
            }
            if try codes.isUsed(.changeEmail, of: account.id, in: tx) { return ConfirmedEmail(email: account.email) }
            guard let change = try tx.get(EmailChange.self, Key(Self.realm.rawValue, account.id)),
                let address = EmailAddress(change.email)
            else { throw invalid }
            if try isTaken(address, by: account.id, at: now, in: tx) {
                throw AccountError(Self.errorCodes.emailTaken)
            }
            _ = try codes.redeem(.changeEmail, code, at: now, in: tx, orThrow: invalid)
            try tx.delete(EmailChange.self, change.key)
            try reversals.release(address.canonical, in: tx)
            if account.isEmailProven, account.email.lowercased() != address.canonical {
                try offerReversal(of: account, mail, at: now, in: tx)
            }
            // These were mailed to the previous address.
            try codes.end([.confirm, .verify, .reset], of: account.id, in: tx)
            var changed = account
            changed.proveEmail(address.text)
            try tx.update(changed)
            try emailChanged(of: changed, in: tx)
            try audit.record(.emailChanged, of: account.id, by: .account, at: now, in: tx)
            return ConfirmedEmail(email: address.text)
        }
    }

    /// Mails the code that restores the account's present address to that address.
    ///
    /// No quota applies, because the mail must go. There are few: each follows a change that was mailed to an address.
    private func offerReversal(
        of account: Account,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        guard let address = EmailAddress(account.email) else { return }
        let code = try reversals.issue(for: account.id, email: address.text, secret: mail.secret, at: now, in: tx)
        try environment.outbox.post(
            Self.realm.mails.emailChanged,
            to: address,
            secret: code,
            messageID: mail.messageID,
            goodFor: Limits.emailReversalSeconds,
            locale: account.locale,
            at: now,
            in: tx
        )
    }

    /// Restores an earlier address with the code that was mailed to it, and sets a new password.
    package func revertEmailChange(
        code: Given<String>,
        password: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<ConfirmedEmail> {
        let code = try Rules.code(code, "code")
        let password = try Rules.password(password, "password")
        let origin = try Rules.origin(client)
        // An invalid code is refused before a password is hashed.
        let now = environment.time.now
        let (email, account) = try environment.store.read { tx in
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            let reversal = try reversals.find(code, at: now, in: tx, orThrow: invalid)
            guard let account = try tx.get(Account.self, Key(reversal.account)) else { throw invalid }
            return (reversal.email, account)
        }
        try checkPolicy(password, email: email, names: account.names)
        return .hash(password) { hash, apis in .done(try Self(from: apis).revertEmailChange(code, hash, from: origin)) }
    }

    private func revertEmailChange(
        _ code: String,
        _ hash: PasswordHash,
        from origin: Origin
    ) throws -> ConfirmedEmail {
        let (now, notice) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.write { tx in
            let invalid = AccountError(Self.errorCodes.codeInvalid)
            let reversal = try reversals.find(code, at: now, in: tx, orThrow: invalid)
            guard var account = try tx.get(Account.self, Key(reversal.account)),
                let address = EmailAddress(reversal.email)
            else { throw invalid }
            // The reservation prevents it, but imported records may contradict each other.
            if let holder = try tx.find(Account.byEmail, Key(address.canonical)), holder.id != account.id {
                throw invalid
            }
            try reversals.end(from: reversal, in: tx)
            try notify(account, of: Self.realm.mails.emailReverted, notice, at: now, in: tx)
            account.proveEmail(address.text)
            try replacePassword(of: &account, by: hash, in: tx)
            // Used codes would still return the address that the account no longer has.
            try forgetCodes(of: account.id, in: tx)
            try emailChanged(of: account, in: tx)
            try audit.record(.emailReverted, of: account.id, by: .anonymous, from: origin, at: now, in: tx)
            return ConfirmedEmail(email: address.text)
        }
    }

    /// Whether an account, or a reservation for one, holds an address.
    ///
    /// - Parameter account: the account that may hold it; nil for none.
    func isTaken(
        _ address: EmailAddress,
        by account: Int? = nil,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Bool {
        let holder =
            try tx.find(Account.byEmail, Key(address.canonical))?.id
            ?? reversals.holder(of: address.canonical, at: now, in: tx)
        return holder != nil && holder != account
    }

    /// Posts a notice to the account's address, unless the address is not proven, the mail quota is reached, or the
    /// host sends its own notices.
    ///
    /// - Returns: the number of the mail; nil if none was posted.
    @discardableResult
    func notify(
        _ account: Account,
        of kind: MailKind,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        guard settings.sendsNotices, account.isEmailProven, let address = EmailAddress(account.email) else {
            return nil
        }
        return try environment.outbox.notice(kind, locale: account.locale, mail).post(to: address, at: now, in: tx)
    }
}
