package import Store

/// The mails that wait to be delivered. A mail is written in the same transaction as the change that it is about.
///
/// A mail's text contains a live code. So it is stored separately from the rest of the mail, and erased when the mail
/// is delivered or given up, or when the code has expired.
package final class Outbox {
    let composer: any MailComposer

    package init(composer: any MailComposer) {
        self.composer = composer
    }

    // MARK: Posting

    /// Counts one mail of a kind to an address, unless a quota is reached. Without quotas, anyone could flood an
    /// address with resets, or with invitations from one account.
    ///
    /// - Parameters:
    ///   - cause: the account that causes the mail, if the mail goes to someone else.
    ///   - mail: random values, drawn outside the transaction.
    /// - Returns: nil if the mail may be posted; else the seconds until it may be, with nothing written.
    package func admit(
        _ kind: MailKind,
        to address: EmailAddress,
        from cause: MailCause? = nil,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        let address = try KeyedHash(of: address.canonical, newKey: mail.newHashKey, in: tx)
        return try MailQuotas(kind, to: address, isSent: true, cause: cause).admit(at: now, in: tx)
    }

    /// Issues a code and posts the mail with it, unless `admit` refuses the mail. Then nothing changes, and the
    /// previous code stays valid.
    ///
    /// - Parameter cause: the account that causes the mail, if the mail goes to someone else.
    /// - Returns: nil if the mail was posted; else the seconds until it may be. In that case the caller answers an
    ///   anonymous request as usual, and refuses an authenticated request or a registration with `too_many_mails`.
    package func post(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        of codes: MailedCodes,
        for holder: Int,
        to address: EmailAddress,
        locale: String?,
        from cause: MailCause? = nil,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        if let seconds = try admit(kind, to: address, from: cause, mail, at: now, in: tx) { return seconds }
        let code = try codes.issue(purpose, for: holder, secret: mail.secret, at: now, in: tx)
        let seconds = purpose.seconds
        try post(
            kind,
            of: purpose.isOfAccount ? holder : nil,
            to: address,
            secret: code,
            messageID: mail.messageID,
            goodFor: seconds,
            locale: locale,
            at: now,
            in: tx
        )
        return nil
    }

    /// Deletes the count of mails that an account caused to others, when the account is deleted.
    package func deleteQuota(of cause: MailCause, in tx: Transaction) throws {
        try MailQuotas.deleteQuota(of: cause, in: tx)
    }

    /// Deletes the mails about an account, including waiting ones, when the account is deleted: those to its address,
    /// to earlier addresses, and to addresses that it did not confirm.
    ///
    /// - Parameters:
    ///   - upper: only mails with lower numbers are deleted.
    ///   - limit: the maximum number of mails to delete.
    /// - Returns: the number of deleted mails.
    package func deleteMails(
        of realm: Realm,
        about account: Int,
        below upper: Int,
        limit: Int,
        in tx: Transaction
    ) throws -> Int {
        try delete(
            try tx.scan(OutboxMail.byAccount, prefix: Key(realm.rawValue, account), limit: limit),
            below: upper,
            in: tx
        )
    }

    /// Deletes the mails of an API to an address, including waiting ones, when the account is deleted. Mails of earlier
    /// versions do not name the account, and invitations to the address are about other accounts.
    ///
    /// - Parameters:
    ///   - address: in lower case.
    ///   - upper: only mails with lower numbers are deleted.
    ///   - limit: the maximum number of mails to delete.
    /// - Returns: the number of deleted mails.
    package func deleteMails(
        of realm: Realm,
        to address: String,
        below upper: Int,
        limit: Int,
        in tx: Transaction
    ) throws -> Int {
        try delete(
            try tx.scan(OutboxMail.byAddress, prefix: Key(realm.rawValue, address), limit: limit),
            below: upper,
            in: tx
        )
    }

    private func delete(_ mails: [OutboxMail], below upper: Int, in tx: Transaction) throws -> Int {
        let mails = mails.filter { $0.id < upper }
        for mail in mails {
            try tx.delete(OutboxText.self, Key(mail.id))
            try tx.delete(DeletionNotice.self, Key(mail.id))
            try tx.delete(OutboxMail.self, mail.key)
        }
        return mails.count
    }

    /// Adds a mail to the outbox.
    ///
    /// - Parameters:
    ///   - kind: the kind of mail.
    ///   - account: the account that the mail is about, and with which it is deleted; nil for none.
    ///   - address: the recipient.
    ///   - secret: the code or temporary password in the mail; empty for none.
    ///   - messageID: a random text that identifies the mail permanently, drawn outside the transaction.
    ///   - seconds: how long the code or password is valid.
    ///   - locale: the language of the mail; nil for the default.
    package func post(
        _ kind: MailKind,
        of account: Int?,
        to address: EmailAddress,
        secret: String,
        messageID: String,
        goodFor seconds: Int,
        locale: String?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let messageID = "\(messageID)@\(composer.domain)"
        let words = composer.compose(kind, secret: secret, locale: locale)
        _ = try Self.insert(
            kind,
            words,
            of: account,
            code: secret.isEmpty ? nil : secret,
            to: address,
            messageID: messageID,
            goodFor: seconds,
            at: now,
            in: tx
        )
    }

    /// The Message-ID of a mail, without angle brackets.
    func messageID(of mail: MailSecrets) -> String { "\(mail.messageID)@\(composer.domain)" }

    /// A notice of a kind, composed before the transaction that may post it.
    func notice(_ kind: MailKind, locale: String?, _ mail: MailSecrets) -> Notice {
        Notice(
            kind: kind,
            words: composer.compose(kind, secret: "", locale: locale),
            messageID: messageID(of: mail),
            mail: mail
        )
    }

    /// Adds a mail to the outbox and returns its number.
    ///
    /// - Parameter code: the code or temporary password in the mail; nil for a notice.
    static func insert(
        _ kind: MailKind,
        _ words: MailText,
        of account: Int?,
        code: String?,
        to address: EmailAddress,
        messageID: String,
        goodFor seconds: Int,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int {
        let id = try tx.nextNumber(of: OutboxMail.self)
        let (mail, text) = records(
            id,
            kind,
            words,
            of: account,
            code: code,
            to: address,
            messageID: messageID,
            expires: now.adding(seconds: seconds),
            at: now
        )
        try tx.insert(mail)
        try tx.insert(text)
        tx.afterwards(.mail)
        return id
    }

    /// The records of a mail that waits to be delivered.
    static func records(
        _ id: Int,
        _ kind: MailKind,
        _ words: MailText,
        of account: Int?,
        code: String?,
        to address: EmailAddress,
        messageID: String,
        expires: Timestamp,
        at now: Timestamp
    ) -> (OutboxMail, OutboxText) {
        let mail = OutboxMail(
            id: id,
            kind: kind.rawValue,
            to: address.text,
            subject: words.subject,
            messageID: messageID,
            created: now,
            expires: expires,
            state: OutboxMail.State.waiting.rawValue,
            attempts: 0,
            nextAttempt: now,
            lastError: nil,
            account: account
        )
        // The code and the link are stored beside the text, because neither can be found in the text for certain: a
        // template may leave one of them out, and another process may use other templates and another URL.
        let (html, locale) = (words.html, words.locale)
        return (mail, OutboxText(id: id, text: words.text, code: code, link: words.link, html: html, locale: locale))
    }

    // MARK: Reading

    /// All mails in the outbox, the oldest first.
    package func all(in tx: Transaction) throws -> [OutboxMail] {
        try tx.all(OutboxMail.self)
    }

    /// The mails after a number, the oldest first.
    func mails(after id: Int, limit: Int, in tx: Transaction) throws -> [OutboxMail] {
        try tx.all(OutboxMail.self, from: Key(min(id, Key.numbers.upperBound - 1) + 1), limit: limit)
    }

    /// Visits the mails about an account, and those to its address that are about none, such as mails of an earlier
    /// version.
    func visitMails(
        of realm: Realm,
        _ account: some PasswordAccount,
        in tx: Transaction,
        _ visit: (OutboxMail) throws -> Void
    ) throws {
        for mail in try tx.scan(OutboxMail.byAccount, prefix: Key(realm.rawValue, account.id)) { try visit(mail) }
        let address = Key(realm.rawValue, account.email.lowercased())
        for mail in try tx.scan(OutboxMail.byAddress, prefix: address) where mail.account == nil { try visit(mail) }
    }

    /// One mail.
    package func mail(_ id: Int, in tx: Transaction) throws -> OutboxMail? {
        guard Key.numbers.contains(id) else { return nil }
        return try tx.get(OutboxMail.self, Key(id))
    }

    /// A mail's text; nil if it is erased.
    package func text(of mail: OutboxMail, in tx: Transaction) throws -> String? {
        try content(of: mail, in: tx)?.text
    }

    /// A mail's text, HTML part, code and link; nil if they are erased.
    package func content(of mail: OutboxMail, in tx: Transaction) throws -> OutboxText? {
        try tx.get(OutboxText.self, Key(mail.id))
    }

    /// The mails that wait to be delivered, the earliest due first.
    package func waiting(limit: Int, in tx: Transaction) throws -> [OutboxMail] {
        try tx.scan(OutboxMail.byNextAttempt, limit: limit)
    }
}
