import Store

/// Changing the email of the caller's account.
///
/// Nothing changes before the code that is mailed to the new address is used. The previous address, if it is proven,
/// can be restored for a while: see `EmailReversals`.
extension AccountAPI {
    /// Mails a code to a new address, and a notice to the current one.
    ///
    /// If the address is taken, its owner gets a notice instead of the code. The rest of the work is the same: a code
    /// is stored that no mail contains, and as many bytes are written. So neither the reply nor its time reveals
    /// whether the address is taken.
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
        let action = PasswordedRequest<Self, Void>.Action.change { api, account, now, tx in
            try api.deleteFailureCount(of: account, in: tx)
            try api.requestEmail(address, for: account, from: origin, mail, notice, at: now, in: tx)
        }
        return try verify(PasswordedRequest(credential: credential, current: current, origin: origin, action: action))
    }

    private func requestEmail(
        _ address: EmailAddress,
        for account: Account,
        from origin: Origin,
        _ mail: MailSecrets,
        _ notice: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let (outbox, mails) = (environment.outbox, Self.realm.mails)
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
        let holder = try holder(of: address, at: now, in: tx)
        let isTaken = holder != nil && holder != account.id
        let owner = try isTaken ? holder.flatMap { try tx.get(Account.self, Key($0)) } : nil
        let change = Outbox.Alternative(
            kind: mails.emailChange,
            secret: code,
            account: account.id,
            locale: account.locale
        )
        let taken = Outbox.Alternative(
            kind: mails.emailTaken,
            secret: "",
            account: holder ?? account.id,
            locale: (owner ?? account).locale
        )
        try outbox.post(
            isTaken ? taken : change,
            insteadOf: isTaken ? change : taken,
            to: address,
            goodFor: seconds,
            mail,
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
            try reversals.deleteReservation(of: address.canonical, in: tx)
            if account.isEmailProven, account.email.lowercased() != address.canonical {
                try offerReversal(of: account, mail, at: now, in: tx)
            }
            // These were mailed to the previous address.
            try codes.delete([.confirm, .verify, .reset], of: account.id, in: tx)
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
            of: account.id,
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
            try reversals.deleteAll(from: reversal, in: tx)
            try notify(account, of: Self.realm.mails.emailReverted, notice, at: now, in: tx)
            account.proveEmail(address.text)
            try replacePassword(of: &account, by: hash, at: now, in: tx)
            // Used codes would still return the address that the account no longer has.
            try deleteCodes(of: account.id, in: tx)
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
        let holder = try holder(of: address, at: now, in: tx)
        return holder != nil && holder != account
    }

    /// Announces what `isTaken` reads.
    func announceHolder(of address: EmailAddress, to announced: inout Prefetch) {
        announced.find(Account.byEmail, Key(address.canonical))
        reversals.announceHolder(of: address.canonical, to: &announced)
    }

    /// The number of the account that holds an address, or that it is reserved for; nil if it is free.
    func holder(of address: EmailAddress, at now: Timestamp, in tx: Transaction) throws -> Int? {
        try account(of: address, in: tx)?.id ?? reversals.holder(of: address.canonical, at: now, in: tx)
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
        return try environment.outbox.notice(kind, locale: account.locale, mail)
            .post(of: account.id, to: address, at: now, in: tx)
    }
}
