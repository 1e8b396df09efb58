package import Store

/// Some events of the audit trail have been deleted because of their age or number.
package struct EventsGone: Error {
    /// The number after which all events exist.
    package let through: Int
}

/// A cursor is ahead of the audit trail, for example because the store was restored from an earlier backup.
package struct EventsAhead: Error {
    /// The number of the last event; 0 if there was none.
    package let last: Int
}

/// Where a reader of the audit trail starts.
package enum EventStart: Equatable, Sendable {
    /// With the earliest event that exists.
    case earliest
    /// With the next event after the one with this number.
    case after(Int)
    /// With the next event that is stored.
    case end
}

/// Reading and shortening the audit trail, which all APIs share.
extension AuditTrail {
    /// The events after a number, the earliest first.
    ///
    /// - Parameters:
    ///   - seq: the number of the last event that the reader has; nil to start with the earliest that exists.
    ///   - limit: the maximum number of events.
    /// - Throws: `EventsGone` if events after that number were deleted.
    package static func events(after seq: Int?, limit: Int, in tx: Transaction) throws -> [Event] {
        try tx.all(Event.self, from: Key(try start(after: seq, in: tx)), limit: limit)
    }

    /// The same of one account.
    package static func events(
        of realm: Realm,
        _ account: Int,
        after seq: Int?,
        limit: Int,
        in tx: Transaction
    ) throws -> [Event] {
        let start = Key(realm.rawValue, account, try start(after: seq, in: tx))
        return try tx.scan(Event.byAccount, prefix: Key(realm.rawValue, account), from: start, limit: limit)
    }

    /// The number after which a reader starts.
    ///
    /// - Throws: `EventsGone` if events after that number were deleted; `EventsAhead` if no event has had that number.
    package static func cursor(of start: EventStart, in tx: Transaction) throws -> Int {
        let through = try deleted(in: tx)
        let last = try max(through, last(in: tx) ?? 0)
        switch start {
        case .earliest: return through
        case .end: return last
        case .after(let seq):
            guard seq >= through else { throw EventsGone(through: through) }
            guard seq <= last else { throw EventsAhead(last: last) }
            return seq
        }
    }

    /// The number of the last event; nil if there is none.
    package static func last(in tx: Transaction) throws -> Int? {
        try tx.all(Event.self, descending: true, limit: 1).first?.seq
    }

    private static func start(after seq: Int?, in tx: Transaction) throws -> Int {
        let through = try deleted(in: tx)
        guard let seq else { return through + 1 }
        guard seq >= through else { throw EventsGone(through: through) }
        return min(seq, Key.numbers.upperBound - 1) + 1
    }

    private static func deleted(in tx: Transaction) throws -> Int {
        try tx.get(EventsDeleted.self, EventsDeleted.onlyKey)?.through ?? 0
    }

    /// Deletes events that are too old, or too many, a limited number per call.
    ///
    /// - Returns: whether more remain.
    static func sweep(_ bounds: AuditBounds, at now: Timestamp, in tx: Transaction) throws -> Bool {
        guard let last = try last(in: tx) else { return false }
        let oldest = now.adding(seconds: -bounds.days * 86_400)
        let events = try tx.all(Event.self, limit: Limits.sweptRowsMax)
        let over = events.prefix { $0.time <= oldest || last - $0.seq >= bounds.eventsMax }
        guard let through = over.last?.seq else { return false }
        for event in over { try tx.delete(Event.self, event.key) }
        try tx.save(EventsDeleted(number: 1, through: through))
        return over.count == Limits.sweptRowsMax
    }
}

/// How long the audit trail is.
package struct AuditBounds: Sendable {
    /// How many days an event is kept.
    package var days: Int
    /// How many events are kept.
    package var eventsMax: Int

    package init(days: Int = Limits.auditDays, eventsMax: Int = Limits.auditEventsMax) {
        self.days = days
        self.eventsMax = eventsMax
    }
}

extension EventsDeleted: Record {
    package static let collection = Collection<EventsDeleted>("events deleted")
    fileprivate static let onlyKey = Key(1)

    package var key: Key { Key(number) }
}
