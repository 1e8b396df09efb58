import JSON
import Store

/// The data of one account, for a request of its owner.
extension AccountAPI {
    /// Everything about an account: what the details show, the records that belong to it, the mails about it, and its
    /// events. Hashes and the texts of mails are left out, because they are secrets, and so are sessions and codes that
    /// are no longer valid and wait for the next sweep.
    ///
    /// - Parameter bytesMax: the maximum length of the reply.
    /// - Throws: `ReplyTooLong` as soon as the reply is certain to be longer; `account_not_found`.
    package func export(_ operation: AccountOperation, bytesMax: Int) throws -> AccountExport {
        let now = environment.time.now
        try AuditTrail.numberEvents(in: environment.store, settings.auditBounds)
        return try environment.store.write { tx in
            let account = try account(named: operation.account, in: tx)
            var bound = ExportBound(bytesMax: bytesMax)
            var records: [AccountRecord] = []
            func add(_ record: any Record) throws {
                let record = try AccountRecord(record)
                try bound.add(record.record.bytes.count)
                records.append(record)
            }
            try visitRecords(of: account.id, in: tx, add)
            try visitCounts(of: account.id, in: tx, add)
            var mails: [OutboxEntry] = []
            try environment.outbox.visitMails(of: Self.realm, account, in: tx) { mail in
                try bound.add(mail.to.utf8.count + mail.subject.utf8.count)
                mails.append(OutboxEntry(mail))
            }
            var events: [Event] = []
            try audit.visitEvents(of: account.id, in: tx) { event in
                try bound.add(ExportBound.eventBytesMin)
                events.append(event)
            }
            try record(.adminAccountExported, of: account.id, operation, at: now, in: tx)
            let details = try details(of: account, at: now, in: tx)
            return AccountExport(account: details, records: records, mails: mails, events: events)
        }
    }

    /// Visits what is counted for an account: wrong passwords, sign-ins by address, and mails to others.
    private func visitCounts(of account: Int, in tx: Transaction, _ visit: (any Record) throws -> Void) throws {
        for failures in try Lockout.failures(of: Self.realm, account, in: tx) { try visit(failures) }
        for signIns in try SignInLockout(Self.realm).signIns(of: account, in: tx) { try visit(signIns) }
        let cause = MailCause(Self.realm, account: account)
        if let quota = try MailQuotas.quota(of: cause, in: tx) { try visit(quota) }
    }
}

/// Measures an export while its parts are read, each with its minimum size.
private struct ExportBound {
    /// The length of an event with the shortest values.
    static let eventBytesMin = 90

    let bytesMax: Int
    private var bytes = 0

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    mutating func add(_ count: Int) throws(ReplyTooLong) {
        bytes += count
        if bytes > bytesMax { throw ReplyTooLong() }
    }
}

extension AccountRecord {
    /// A record as it is stored.
    fileprivate init(_ record: some Record) throws {
        var writer = JSONWriter()
        record.write(to: &writer)
        let object = try writer.withUnsafeBytes { text in
            var reader = JSONReader(text)
            return try CompactObject(reading: &reader)
        }
        self.init(collection: type(of: record).collection.name, record: object)
    }
}

extension OutboxEntry {
    /// A mail without its text.
    init(_ mail: OutboxMail) {
        self.init(
            id: mail.id,
            kind: mail.kind,
            to: mail.to,
            subject: mail.subject,
            state: mail.state,
            created: mail.created,
            expires: mail.expires,
            attempts: mail.attempts,
            nextAttempt: mail.nextAttempt,
            lastError: mail.lastError
        )
    }
}
