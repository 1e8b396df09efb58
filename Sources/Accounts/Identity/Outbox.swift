package import Store

/// The mails that wait to be delivered, written in the same transaction as the state that they announce.
///
/// A mail's text holds a live code. It is therefore kept apart from the rest of the mail, and erased once the mail is
/// delivered or the code has expired.
package final class Outbox {
    private let composer: any MailComposer
    private var hasNotice = false

    package init(composer: any MailComposer) {
        self.composer = composer
    }

    // MARK: Posting

    /// Counts one more mail of a kind to an address, unless a bound is reached. Without bounds, anybody could flood an
    /// address with resets, or with invitations from one account.
    ///
    /// - Parameters:
    ///   - cause: the account that causes it, where it goes to somebody else.
    ///   - mail: drawn outside of the transaction.
    /// - Returns: nil where the mail may be posted; else in how many seconds it may be, and nothing is written.
    package func admit(
        _ kind: MailKind,
        to address: EmailAddress,
        from cause: MailCause? = nil,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        let address = try AddressHash(of: address.canonical, newKey: mail.newHashKey, in: tx)
        return try MailQuotas(kind, to: address, isSent: true, cause: cause).admit(at: now, in: tx)
    }

    /// Issues a code and posts the mail that brings it, unless `admit` refuses it: then nothing changes, and the code
    /// before stays good.
    ///
    /// - Parameter cause: the account that causes it, where it goes to somebody else.
    /// - Returns: nil where it was posted; else in how many seconds it may be. An anonymous request is answered as ever
    ///   then; one that is authenticated, and a registration, are refused with `too_many_mails`.
    package func post(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        of codes: MailedCodes,
        for holder: Int,
        to address: EmailAddress,
        from cause: MailCause? = nil,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        if let seconds = try admit(kind, to: address, from: cause, mail, at: now, in: tx) { return seconds }
        let code = try codes.issue(purpose, for: holder, secret: mail.secret, at: now, in: tx)
        let seconds = purpose.seconds
        try post(kind, to: address, secret: code, messageID: mail.messageID, goodFor: seconds, at: now, in: tx)
        return nil
    }

    /// Does the work of `post` where no mail is due, as the address has no account that waits for one: it writes as much
    /// and takes as long, so that neither tells who has an account. What it writes takes the place of what the request
    /// before it wrote.
    package func postDecoy(
        _ kind: MailKind,
        to address: EmailAddress,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let hash = try AddressHash(of: address.canonical, newKey: mail.newHashKey, in: tx)
        guard try MailQuotas(kind, to: hash, isSent: false, cause: nil).admit(at: now, in: tx) == nil else { return }
        let words = composer.compose(kind, secret: "1000-\(mail.secret)")
        // As many bytes as the members and index entries of a mail and its code have beside the text.
        let rest = String(repeating: " ", count: 620 + address.text.utf8.count)
        let codeHash = SecretToken.Hash(of: mail.secret).text
        try tx.save(DecoyMail(kind: kind.rawValue, hash: codeHash, text: words.subject + words.text + rest))
        hasNotice = true
    }

    /// Forgets how many mails an account has caused to others; it is deleted.
    package func forget(_ cause: MailCause, in tx: Transaction) throws {
        try MailQuotas.forget(cause, in: tx)
    }

    /// Forgets the mails of an API to an address, those that wait included; the account is deleted.
    ///
    /// - Parameters:
    ///   - address: in lower case.
    ///   - upper: mails from this number on stay.
    ///   - limit: how many to forget at most.
    /// - Returns: how many were forgotten.
    package func forgetMails(
        of realm: Realm,
        to address: String,
        below upper: Int,
        limit: Int,
        in tx: Transaction
    ) throws -> Int {
        let mails = try tx.scan(OutboxMail.byAddress, prefix: Key(realm.rawValue, address), limit: limit)
            .filter { $0.id < upper }
        for mail in mails {
            try tx.delete(OutboxText.self, Key(mail.id))
            try tx.delete(OutboxMail.self, mail.key)
        }
        return mails.count
    }

    /// Puts a mail into the outbox.
    ///
    /// - Parameters:
    ///   - kind: which mail.
    ///   - address: whom it goes to.
    ///   - secret: the code or temporary password in it.
    ///   - messageID: a random text that names the mail for good, drawn outside of the transaction.
    ///   - seconds: for how long what it says is good.
    package func post(
        _ kind: MailKind,
        to address: EmailAddress,
        secret: String,
        messageID: String,
        goodFor seconds: Int,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let words = composer.compose(kind, secret: secret)
        let id = try tx.nextNumber(of: OutboxMail.self)
        try tx.insert(
            OutboxMail(
                id: id,
                kind: kind.rawValue,
                to: address.text,
                subject: words.subject,
                messageID: "\(messageID)@\(composer.domain)",
                created: now,
                expires: now.adding(seconds: seconds),
                state: OutboxMail.State.waiting.rawValue,
                attempts: 0,
                nextAttempt: now,
                lastError: nil
            )
        )
        try tx.insert(OutboxText(id: id, text: words.text))
        // Only a hint to look: a transaction that is taken back, or run again, does no harm by it.
        hasNotice = true
    }

    // MARK: Reading

    /// All mails that the outbox remembers, the oldest first.
    package func all(in tx: Transaction) throws -> [OutboxMail] {
        try tx.all(OutboxMail.self)
    }

    /// One mail.
    package func mail(_ id: Int, in tx: Transaction) throws -> OutboxMail? {
        guard Key.numbers.contains(id) else { return nil }
        return try tx.get(OutboxMail.self, Key(id))
    }

    /// A mail's text, or nil once it is erased.
    package func text(of mail: OutboxMail, in tx: Transaction) throws -> String? {
        try tx.get(OutboxText.self, Key(mail.id))?.text
    }

    /// The mails that wait to be delivered, the one that is due first in front.
    package func waiting(limit: Int, in tx: Transaction) throws -> [OutboxMail] {
        try tx.scan(OutboxMail.byNextAttempt, limit: limit)
    }

    // MARK: Delivering

    /// Whether a mail may have been posted since the last call.
    package func takeNotice() -> Bool {
        defer { hasNotice = false }
        return hasNotice
    }

    /// Keeps other processes from sending a mail until then, or lets them from then on.
    package func claim(_ id: Int, until: Timestamp, in tx: Transaction) throws {
        guard var mail = try mail(id, in: tx), mail.nextAttempt != nil else { return }
        mail.nextAttempt = until
        try tx.update(mail)
    }

    /// Notes that a mail was delivered, and erases its text.
    package func markDelivered(_ id: Int, in tx: Transaction) throws {
        try close(id, as: .delivered, error: nil, in: tx)
    }

    /// Notes that delivering failed, and when to try again; nil gives up and erases the text.
    package func markFailed(_ id: Int, error: String, retryAt next: Timestamp?, in tx: Transaction) throws {
        guard var mail = try mail(id, in: tx) else { return }
        guard let next else { return try close(id, as: .failed, error: error, in: tx) }
        mail.attempts += 1
        mail.nextAttempt = next
        mail.lastError = error
        try tx.update(mail)
    }

    /// Erases the texts that have expired, and forgets mails that are long done with: a bounded number of each.
    ///
    /// - Returns: when there is something to sweep next, or nil where nothing is left to.
    package func sweep(at now: Timestamp, in tx: Transaction) throws -> Timestamp? {
        let isCorrect = try correctTimes(to: now, in: tx)
        for mail in try tx.scan(OutboxMail.byExpiry, limit: Limits.sweptRowsMax) {
            guard mail.sweepTime <= now else { return isCorrect ? mail.sweepTime : now }
            if try tx.get(OutboxText.self, Key(mail.id)) != nil {
                try close(mail.id, as: .expired, error: mail.lastError, in: tx)
            } else {
                try tx.delete(OutboxMail.self, mail.key)
            }
        }
        return isCorrect ? try tx.scan(OutboxMail.byExpiry, limit: 1).first?.sweepTime : now
    }

    /// Lets mails go out now, and be forgotten in time, that a clock which stood ahead has dated too late.
    ///
    /// - Returns: whether all are correct; if not, there were more than one transaction should change.
    private func correctTimes(to now: Timestamp, in tx: Transaction) throws -> Bool {
        let latestAttempt = now.adding(seconds: Limits.mailDelaySecondsMax)
        let latestExpiry = now.adding(seconds: Limits.mailLifetimeSecondsMax)
        let waiting = try tx.scan(OutboxMail.byNextAttempt, descending: true, limit: Limits.sweptRowsMax).prefix {
            $0.nextAttempt.map { $0 > latestAttempt } ?? false
        }
        for var mail in waiting {
            mail.nextAttempt = now
            mail.expires = min(mail.expires, latestExpiry)
            try tx.update(mail)
        }
        let latestSweep = latestExpiry.adding(seconds: Limits.outboxRecordSeconds)
        let ahead = try tx.scan(OutboxMail.byExpiry, descending: true, limit: Limits.sweptRowsMax).prefix {
            $0.sweepTime > latestSweep
        }
        for var mail in ahead {
            mail.expires = latestExpiry
            try tx.update(mail)
        }
        return waiting.count < Limits.sweptRowsMax && ahead.count < Limits.sweptRowsMax
    }

    private func close(_ id: Int, as state: OutboxMail.State, error: String?, in tx: Transaction) throws {
        guard var mail = try mail(id, in: tx) else { return }
        mail.state = state.rawValue
        mail.attempts += state == .expired ? 0 : 1
        mail.nextAttempt = nil
        mail.lastError = error
        try tx.update(mail)
        try tx.delete(OutboxText.self, Key(id))
    }
}

extension OutboxMail: Record {
    /// How far a mail has come.
    package enum State: String, CaseIterable, Sendable {
        case waiting, delivered, failed
        /// Never delivered, and of no use any more.
        case expired
    }

    package static let collection = Collection<OutboxMail>(
        "outbox",
        isNumbered: true,
        ordered: [byNextAttempt, byExpiry, byAddress]
    )
    /// The mails that wait.
    static let byNextAttempt = OrderedIndex<OutboxMail>("due") { mail in
        mail.nextAttempt.map { Key($0.seconds, mail.id) }
    }
    static let byExpiry = OrderedIndex<OutboxMail>("expiry") { Key($0.sweepTime.seconds, $0.id) }

    /// The mails of an API to an address, the oldest first. The kinds of an API's mails start with its name.
    static let byAddress = OrderedIndex<OutboxMail>("address") { mail in
        Key(String(mail.kind.prefix { $0 != "-" }), mail.to.lowercased(), mail.id)
    }

    package var key: Key { Key(id) }

    /// When the text is to be erased, and once it is, when the rest is to be forgotten.
    fileprivate var sweepTime: Timestamp {
        nextAttempt != nil ? expires : expires.adding(seconds: Limits.outboxRecordSeconds)
    }
}

extension OutboxText: Record {
    package static let collection = Collection<OutboxText>("outbox texts", isErasable: true)

    package var key: Key { Key(id) }
}

extension DecoyMail: Record {
    package static let collection = Collection<DecoyMail>("decoy mails")

    package var key: Key { Key(kind) }
}
