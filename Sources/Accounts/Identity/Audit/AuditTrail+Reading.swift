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

    /// A page of the trail, with the number after which the next page starts.
    ///
    /// - Throws: `EventsGone`; `EventsAhead` if no event has had the number.
    package static func page(after seq: Int?, limit: Int, in tx: Transaction) throws -> EventPage {
        _ = try seq.map { try cursor(of: .after($0), in: tx) }
        let events = try events(after: seq, limit: limit, in: tx)
        return EventPage(events: events, next: try events.last?.seq ?? seq ?? deleted(in: tx))
    }

    /// The same of one account.
    ///
    /// After the account's last event, the next page starts at the end of the trail: if the trail is shortened
    /// meanwhile, no event of the account is missed.
    package static func page(
        of account: (realm: Realm, number: Int),
        after seq: Int?,
        limit: Int,
        in tx: Transaction
    ) throws -> EventPage {
        _ = try seq.map { try cursor(of: .after($0), in: tx) }
        let events = try events(of: account.realm, account.number, after: seq, limit: limit, in: tx)
        let end = try cursor(of: .end, in: tx)
        return EventPage(events: events, next: events.count == limit ? events.last?.seq ?? end : end)
    }

    /// Visits the events of an account, the earliest first.
    func visitEvents(of account: Int, in tx: Transaction, _ visit: (Event) throws -> Void) throws {
        var place: Int?
        while true {
            let page = try Self.page(of: (realm, account), after: place, limit: Limits.adminPageMax, in: tx)
            for event in page.events { try visit(event) }
            guard page.events.count == Limits.adminPageMax else { return }
            place = page.next
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

    static func deleted(in tx: Transaction) throws -> Int {
        try tx.get(EventsDeleted.self, EventsDeleted.onlyKey)?.through ?? 0
    }

    /// Deletes events that are too old, or too many, a limited number per call.
    ///
    /// - Returns: whether more remain.
    static func sweep(_ bounds: AuditBounds, at now: Timestamp, in tx: Transaction) throws -> Bool {
        guard let last = try last(in: tx) else { return false }
        let oldest = now.adding(seconds: -bounds.days * 86_400)
        let events = try tx.all(Event.self, limit: Limits.sweptRowsMax)
        // An event before an old one is old too, although a clock that was ahead may have dated it later.
        let latestOver = events.lastIndex { $0.time <= oldest || last - $0.seq >= bounds.eventsMax }
        guard let latestOver else { return false }
        for event in events[...latestOver] { try tx.delete(Event.self, event.key) }
        try tx.save(EventsDeleted(number: 1, through: events[latestOver].seq))
        return latestOver == Limits.sweptRowsMax - 1
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
