package import Store

/// An account that causes mails to others.
package struct MailCause: Sendable {
    let realm: Realm
    let account: Int

    package init(_ realm: Realm, account: Int) {
        self.realm = realm
        self.account = account
    }
}

/// Bounds the mails that go to an address, and those that an account causes to others.
///
/// A refused mail is not counted, and writes nothing.
struct MailQuotas {
    /// What is counted, and how far.
    private struct Bound {
        let kind: String
        let subject: String
        var slot: Int?
        let max: Int
        let seconds: Int

        /// The count as it is, or nil where its span is over or where it was started by a clock that stood ahead.
        func current(at now: Timestamp, in tx: Transaction) throws -> MailQuota? {
            let fresh = MailQuota(kind: kind, subject: subject, slot: slot, count: 0, ends: now)
            guard let quota = try tx.get(MailQuota.self, fresh.key), quota.subject == subject else { return nil }
            return quota.ends > now && quota.ends <= now.adding(seconds: seconds) ? quota : nil
        }

        /// The seconds until one more is admitted; nil where one is now.
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

    /// The bounds of a mail of a kind to an address.
    ///
    /// - Parameters:
    ///   - isSent: false where no mail follows, as the address has no account that waits for one. Such requests are
    ///     counted apart, so that they cannot use up what the address may get.
    ///   - cause: the account that causes it, where it goes to somebody else.
    init(_ kind: MailKind, to address: AddressHash, isSent: Bool, cause: MailCause?) {
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

    private static func toOthers(_ cause: MailCause) -> Bound {
        Bound(
            kind: MailQuota.toOthers,
            subject: "\(cause.realm.rawValue) \(cause.account)",
            max: Limits.mailsToOthersMax,
            seconds: Limits.mailsToOthersSeconds
        )
    }

    /// Counts the mail, unless a bound is reached: then the seconds until it is admitted.
    func admit(at now: Timestamp, in tx: Transaction) throws -> Int? {
        if let seconds = try bounds.compactMap({ try $0.secondsLeft(at: now, in: tx) }).max() { return seconds }
        for bound in bounds { try bound.count(at: now, in: tx) }
        return nil
    }

    /// Forgets what an account caused; it is deleted.
    static func forget(_ cause: MailCause, in tx: Transaction) throws {
        try tx.delete(MailQuota.self, Key(MailQuota.toOthers, toOthers(cause).subject))
    }
}

extension MailQuota: Record {
    package static let collection = Collection<MailQuota>("mail quotas", ordered: [byEnd])
    static let byEnd = OrderedIndex<MailQuota>("end") { quota in
        Key(quota.ends.seconds, quota.kind, quota.slot.map { "\($0)" } ?? quota.subject)
    }
    /// The kind under which mails to others are counted.
    static let toOthers = "mails-to-others"

    package var key: Key { slot.map { Key(kind, $0) } ?? Key(kind, subject) }
}
