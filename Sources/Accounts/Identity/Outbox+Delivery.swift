package import Store

/// Delivering the mails in the outbox, and erasing them.
extension Outbox {
    /// Prevents other processes from sending a mail before `until`. A time of now releases the mail.
    package func claim(_ id: Int, until: Timestamp, in tx: Transaction) throws {
        guard var mail = try mail(id, in: tx), mail.nextAttempt != nil else { return }
        mail.nextAttempt = until
        try tx.update(mail)
    }

    /// Makes a waiting mail due now, and records who asked for it.
    ///
    /// - Returns: the mail; nil if it does not wait.
    func retry(_ mail: OutboxMail, by actor: String?, at now: Timestamp, in tx: Transaction) throws -> OutboxMail? {
        guard mail.nextAttempt != nil, let realm = mail.realm else { return nil }
        var mail = mail
        mail.nextAttempt = now
        try tx.update(mail)
        let detail = EventDetail(mail: mail, actor: actor)
        try AuditTrail(realm).record(.adminMailRetried, of: mail.account, by: .admin, detail: detail, at: now, in: tx)
        tx.afterwards(.mail)
        return mail
    }

    /// The mails that are due after `now`, the earliest first.
    ///
    /// - Parameter last: the mail that the result follows, as it was when it was read; nil to start with the earliest.
    func later(
        than now: Timestamp,
        after last: OutboxMail?,
        limit: Int,
        in tx: Transaction
    ) throws -> [OutboxMail] {
        let start = last.flatMap { mail in mail.nextAttempt.map { Key($0.seconds, mail.id + 1) } }
        return try tx.scan(OutboxMail.byNextAttempt, from: start ?? Key(now.seconds + 1), limit: limit)
    }

    /// Records that a mail was delivered, and erases its text.
    package func markDelivered(_ id: Int, at now: Timestamp, in tx: Transaction) throws {
        try record(.mailSent, id, at: now, in: tx)
        try close(id, as: .delivered, error: nil, in: tx)
    }

    /// Records that a delivery failed, and when to retry. With nil the mail is given up and its text erased.
    package func markFailed(
        _ id: Int,
        error: String,
        retryAt next: Timestamp?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        guard var mail = try mail(id, in: tx) else { return }
        guard let next else {
            try record(.mailFailed, id, at: now, in: tx)
            return try close(id, as: .failed, error: error, in: tx)
        }
        mail.attempts += 1
        mail.nextAttempt = next
        mail.lastError = error
        try tx.update(mail)
    }

    /// Erases the texts of expired mails, and deletes old mails: a limited number per call.
    ///
    /// - Returns: when the next sweep is due; nil if the outbox is empty.
    package func sweep(at now: Timestamp, in tx: Transaction) throws -> Timestamp? {
        let isCorrect = try correctTimes(to: now, in: tx)
        for mail in try tx.scan(OutboxMail.byExpiry, limit: Limits.sweptRowsMax) {
            guard mail.sweepTime <= now else { return isCorrect ? mail.sweepTime : now }
            if try tx.get(OutboxText.self, Key(mail.id)) != nil {
                try record(.mailFailed, mail.id, at: now, in: tx)
                try close(mail.id, as: .expired, error: mail.lastError, in: tx)
            } else {
                try tx.delete(OutboxMail.self, mail.key)
            }
        }
        return isCorrect ? try tx.scan(OutboxMail.byExpiry, limit: 1).first?.sweepTime : now
    }

    /// Corrects mails whose times were set while the clock was ahead: waiting ones become due now, and all are swept in
    /// time.
    ///
    /// - Returns: whether all mails are correct; false if there were more than one transaction may change.
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

    private func record(_ kind: EventKind, _ id: Int, at now: Timestamp, in tx: Transaction) throws {
        guard let mail = try mail(id, in: tx), let realm = mail.realm else { return }
        let detail = EventDetail(mail: mail)
        try AuditTrail(realm).record(kind, of: mail.account, by: .service, detail: detail, at: now, in: tx)
    }

    private func close(_ id: Int, as state: OutboxMail.State, error: String?, in tx: Transaction) throws {
        guard var mail = try mail(id, in: tx) else { return }
        if try tx.get(DeletionNotice.self, Key(id)) != nil {
            // Its address is that of a deleted account.
            try tx.delete(DeletionNotice.self, Key(id))
            try tx.delete(OutboxText.self, Key(id))
            return try tx.delete(OutboxMail.self, mail.key)
        }
        mail.state = state.rawValue
        mail.attempts += state == .expired ? 0 : 1
        mail.nextAttempt = nil
        mail.lastError = error
        try tx.update(mail)
        try tx.delete(OutboxText.self, Key(id))
    }
}

extension OutboxMail: Record {
    /// The delivery state of a mail.
    package enum State: String, CaseIterable, Sendable {
        case waiting, delivered, failed
        /// Not delivered before its code or password expired.
        case expired
    }

    package static let collection = Collection<OutboxMail>(
        "outbox",
        isNumbered: true,
        ordered: [byNextAttempt, byExpiry, byAddress, byAccount]
    )
    /// The waiting mails.
    static let byNextAttempt = OrderedIndex<OutboxMail>("due") { mail in
        mail.nextAttempt.map { Key($0.seconds, mail.id) }
    }
    static let byExpiry = OrderedIndex<OutboxMail>("expiry") { Key($0.sweepTime.seconds, $0.id) }

    /// The mails of an API to an address, the oldest first. Each kind of mail starts with the name of its API.
    static let byAddress = OrderedIndex<OutboxMail>("address") { mail in
        Key(mail.realmName, mail.to.lowercased(), mail.id)
    }

    /// The mails about an account, the oldest first.
    static let byAccount = OrderedIndex<OutboxMail>("account") { mail in
        mail.account.map { Key(mail.realmName, $0, mail.id) }
    }

    private var realmName: String { MailKind.realmName(of: kind) }

    /// The API that the mail is from.
    var realm: Realm? { Realm(rawValue: realmName) }

    package var key: Key { Key(id) }

    /// When a waiting mail expires, or when any other mail is deleted.
    fileprivate var sweepTime: Timestamp {
        nextAttempt != nil ? expires : expires.adding(seconds: Limits.outboxRecordSeconds)
    }
}

extension OutboxText: Record {
    package static let collection = Collection<OutboxText>("outbox texts", isErasable: true)

    package var key: Key { Key(id) }
}

extension MailKind {
    /// The API of mails of the kind.
    var realm: Realm? { Realm(rawValue: Self.realmName(of: rawValue)) }

    fileprivate static func realmName(of kind: String) -> String { String(kind.prefix { $0 != "-" }) }
}
