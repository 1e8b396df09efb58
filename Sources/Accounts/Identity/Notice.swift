package import Store

/// A mail that reports an event to the owner of an account. It has no code and no link.
///
/// It is posted in the transaction of the event. If the mail quota is reached, the event still happens, without a mail.
struct Notice: Sendable {
    let kind: MailKind
    let words: MailText
    /// The Message-ID, without angle brackets.
    let messageID: String
    let mail: MailSecrets

    /// Posts the notice, unless the mail quota is reached.
    ///
    /// - Returns: the number of the mail; nil if none was posted.
    @discardableResult
    func post(to address: EmailAddress, at now: Timestamp, in tx: Transaction) throws -> Int? {
        let hash = try KeyedHash(of: address.canonical, newKey: mail.newHashKey, in: tx)
        guard try MailQuotas(kind, to: hash, isSent: true, cause: nil).admit(at: now, in: tx) == nil else { return nil }
        let seconds = Limits.noticeSeconds
        return try Outbox.insert(
            kind,
            words,
            code: nil,
            to: address,
            messageID: messageID,
            goodFor: seconds,
            at: now,
            in: tx
        )
    }

    /// Posts the notice to a proven address of an account, or else does the same work, so that neither the reply nor
    /// its time reveals whether the email has an account.
    ///
    /// - Parameter account: the account; nil if the email has none.
    func post(
        to email: String,
        of account: (some PasswordAccount)?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        if let account, account.isEmailProven {
            guard let address = EmailAddress(account.email) else { return }
            try post(to: address, at: now, in: tx)
        } else if let address = EmailAddress(email) {
            try Outbox.postDecoy(kind, words, code: nil, to: address, mail, at: now, in: tx)
        }
    }
}

extension DeletionNotice: Record {
    package static let collection = Collection<DeletionNotice>("deletion notices")

    package var key: Key { Key(mail) }
}
