package import Store

/// An account that causes mails to other people.
package struct MailCause: Sendable {
    let realm: Realm
    let account: Int

    package init(_ realm: Realm, account: Int) {
        self.realm = realm
        self.account = account
    }
}

/// Limits the mails to an address, the mails that an account causes to others, and the anonymous requests from a
/// network address.
///
/// A refused mail is not counted and writes nothing.
struct MailQuotas {
    /// A count and its limit.
    private struct Bound {
        let kind: String
        let subject: String
        var slot: Int?
        let max: Int
        let seconds: Int

        /// The key of the count.
        var key: Key { MailQuota.key(kind, subject, slot: slot) }

        /// The current count; nil if its time span is over, or if the span was started while the clock was ahead.
        func current(at now: Timestamp, in tx: Transaction) throws -> MailQuota? {
            guard let quota = try tx.get(MailQuota.self, key), quota.subject == subject else { return nil }
            return quota.ends > now && quota.ends <= now.adding(seconds: seconds) ? quota : nil
        }

        /// The seconds until one more mail is admitted; nil if one is admitted now.
        func secondsLeft(at now: Timestamp, in tx: Transaction) throws -> Int? {
            guard let quota = try current(at: now, in: tx), quota.count >= max else { return nil }
            return now.seconds(until: quota.ends)
        }

        func count(at now: Timestamp, in tx: Transaction) throws {
            let ends = now.adding(seconds: seconds)
            var quota =
                try current(at: now, in: tx)
                ?? MailQuota(kind: kind, subject: subject, slot: slot, count: 0, ends: ends)
            quota.count += 1
            try tx.save(quota)
        }
    }

    private var bounds: [Bound] = []

    /// Collects the limits of a mail.
    ///
    /// - Parameters:
    ///   - isSent: false if no mail follows, because the address has no account that needs one. Such requests are
    ///     counted separately, so that they cannot use up the quota of the address.
    ///   - cause: the account that causes the mail, if the mail goes to someone else.
    init(_ kind: MailKind, to address: KeyedHash, isSent: Bool, cause: MailCause?) {
        bounds.append(
            Bound(
                kind: kind.rawValue,
                subject: address.text,
                slot: isSent ? nil : address.slot,
                max: Limits.mailsPerKindAndAddressMax,
                seconds: Limits.mailQuotaSeconds
            )
        )
        if let cause { bounds.append(Self.toOthers(cause)) }
    }

    /// Collects the limit of registrations and requests for a mail.
    ///
    /// - Parameter network: the hash of the network address.
    init(ofRequestsFrom network: KeyedHash) {
        bounds.append(
            Bound(
                kind: MailQuota.requests,
                subject: network.text,
                slot: network.slot,
                max: Limits.requestsPerAddressMax,
                seconds: Limits.mailQuotaSeconds
            )
        )
    }

    private static func toOthers(_ cause: MailCause) -> Bound {
        Bound(
            kind: MailQuota.toOthers,
            subject: "\(cause.realm.rawValue) \(cause.account)",
            max: Limits.mailsToOthersMax,
            seconds: Limits.mailsToOthersSeconds
        )
    }

    private static func key(of cause: MailCause) -> Key { toOthers(cause).key }

    /// Announces the counts.
    func announce(to announced: inout Prefetch) {
        for bound in bounds { announced.get(MailQuota.self, bound.key) }
    }

    /// The seconds until all limits admit one more; nil if they do now.
    func secondsLeft(at now: Timestamp, in tx: Transaction) throws -> Int? {
        try bounds.compactMap { try $0.secondsLeft(at: now, in: tx) }.max()
    }

    /// Counts a mail if no limit is reached.
    ///
    /// - Returns: nil if the mail was counted; else the seconds until one is admitted.
    func admit(at now: Timestamp, in tx: Transaction) throws -> Int? {
        if let seconds = try secondsLeft(at: now, in: tx) { return seconds }
        for bound in bounds { try bound.count(at: now, in: tx) }
        return nil
    }

    /// The count of mails that an account caused to others; nil if there is none.
    static func quota(of cause: MailCause, in tx: Transaction) throws -> MailQuota? {
        try tx.get(MailQuota.self, key(of: cause))
    }

    /// Deletes the count of mails that an account caused, when the account is deleted.
    static func deleteQuota(of cause: MailCause, in tx: Transaction) throws {
        try tx.delete(MailQuota.self, key(of: cause))
    }
}

extension Outbox {
    /// The seconds until a request from a network address may be executed; nil if it may be now. Counts nothing: a
    /// request calls it before it hashes a password, and `admitRequest` after it.
    package func secondsUntilRequest(from origin: Origin, at now: Timestamp, in tx: Transaction) throws -> Int? {
        guard let network = origin.network, let hash = try KeyedHash(of: network, in: tx) else { return nil }
        return try MailQuotas(ofRequestsFrom: hash).secondsLeft(at: now, in: tx)
    }

    /// Counts one anonymous request, a registration or a request for a mail, from a network address.
    ///
    /// - Parameter mail: random values, drawn outside the transaction.
    /// - Returns: nil if the request may be executed; else the seconds until it may be, with nothing written. Then a
    ///   registration is refused with `too_many_mails`, and any other request is answered as usual and does nothing.
    package func admitRequest(
        from origin: Origin,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        guard let network = origin.network else { return nil }
        let hash = try KeyedHash(of: network, newKey: mail.newHashKey, in: tx)
        return try MailQuotas(ofRequestsFrom: hash).admit(at: now, in: tx)
    }
}

extension MailQuota: Record {
    package static let collection = Collection<MailQuota>("mail quotas", ordered: [byEnd])
    static let byEnd = OrderedIndex<MailQuota>("end") { quota in
        Key(quota.ends.seconds, quota.kind, quota.slot.map { "\($0)" } ?? quota.subject)
    }
    /// The `kind` of counts of mails to others.
    static let toOthers = "mails-to-others"
    /// The `kind` of counts of anonymous requests from a network address.
    static let requests = "requests"

    package var key: Key { Self.key(kind, subject, slot: slot) }

    static func key(_ kind: String, _ subject: String, slot: Int?) -> Key {
        slot.map { Key(kind, $0) } ?? Key(kind, subject)
    }
}
