package import Store
internal import Synchronization

/// Numbering the events of a store whose transactions run side by side.
///
/// There a number that is drawn in a transaction does not tell when the transaction commits: an event could appear
/// below the cursor of a reader, who would miss it. So transactions store events without numbers, and one process at a
/// time numbers those that are committed. Only numbered events are part of the trail.
extension AuditTrail {
    /// Numbers all events that are committed, for a reader of the trail. It does nothing in a store whose transactions
    /// take effect one after another.
    package static func numberEvents(in store: Store, _ bounds: AuditBounds) throws {
        while try numberEvents(in: store, bounds, waits: true) {}
    }

    /// Numbers some of the events that are committed: at most `Limits.numberedEventsMax`.
    ///
    /// - Parameter waits: whether to wait for another process that is numbering. Work in the background would stop if
    ///   that process did.
    /// - Returns: whether there may be more.
    package static func numberEvents(in store: Store, _ bounds: AuditBounds, waits: Bool) throws -> Bool {
        guard !store.ordersNumbers else { return false }
        let count = try store.writeAlone(lock: lock, waits: waits) { try number(bounds, in: $0) }
        try store.makeDurable()
        return count == Limits.numberedEventsMax
    }

    /// The number of the lock under which events are numbered: the bytes of `events`.
    private static let lock = 0x65_7665_6E74_73

    /// Numbers events. Returns how many there were.
    static func number(_ bounds: AuditBounds, in tx: Transaction) throws -> Int {
        let unnumbered = try tx.all(UnnumberedEvent.self, limit: Limits.numberedEventsMax)
        guard !unnumbered.isEmpty else { return 0 }
        var share = try share(bounds, in: tx)
        let usedBefore = share.record.used
        tx.prefetch { announced in
            for _ in unnumbered { announced.nextNumber(of: Event.self) }
        }
        let deleted = Set(unnumbered.map(\.event).filter(\.isDeletion).map(\.subject))
        for var record in unnumbered {
            try tx.delete(UnnumberedEvent.self, record.key)
            let isUnknown = record.event.account == nil && record.event.by == Source.anonymous.rawValue
            if isUnknown, !share.take() { continue }
            record.event.seq = try tx.nextNumber(of: Event.self)
            // A request of the account may have been committed before the deletion, and bear a later time.
            if record.event.isOfOwner, deleted.contains(record.event.subject) { record.event.erase() }
            try tx.insert(record.event)
            try eraseEarlier(than: record.event, in: tx)
            share.next = record.event.seq + 1
        }
        if share.record.used != usedBefore { try tx.save(share.record) }
        tx.afterwards(.events)
        return unnumbered.count
    }
}

extension AuditTrail {
    /// If an event reports the deletion of an account, erases the account's earlier events that had no numbers when it
    /// was deleted. A job erases the others.
    private static func eraseEarlier(than event: Event, in tx: Transaction) throws {
        guard event.isDeletion, let account = event.account, let realm = Realm(rawValue: event.api) else { return }
        let deletion = try tx.get(AccountDeletion.self, Key(event.api, account))
        // Without the record the job has ended, and only the latest events can have been without numbers.
        let first = deletion?.lastEvent ?? max(0, event.seq - Limits.numberedEventsMax)
        guard first + 1 < event.seq else { return }
        _ = try AuditTrail(realm).erase(account, first + 1...event.seq - 1, limit: .max, in: tx)
    }
}

extension Event {
    /// The account that an event is about, as a key.
    fileprivate var subject: String { "\(api) \(account ?? 0)" }

    fileprivate var isDeletion: Bool { kind == EventKind.accountDeleted.rawValue }

    /// Whether a request caused it that may come from the account's owner.
    fileprivate var isOfOwner: Bool {
        !isDeletion && [AuditTrail.Source.account, .anonymous].map(\.rawValue).contains(by)
    }
}

extension UnnumberedEvent: Record {
    package static let collection = Collection<UnnumberedEvent>("unnumbered events")

    package var key: Key { Key(id) }

    /// How many events this process has stored.
    private static let count = Atomic(0)

    /// An event that is stored now. Its id is greater than that of each event that this process has stored before, and
    /// of those that other processes stored some time before.
    init(_ event: Event, at now: Timestamp) {
        let count = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        let parts = [(now.microseconds, 16), (count, 10), (Int.random(in: 0..<1 << 30), 10)]
        let id = parts.map { number, digits in
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        self.init(id: id.joined(separator: "."), event: event)
    }
}
