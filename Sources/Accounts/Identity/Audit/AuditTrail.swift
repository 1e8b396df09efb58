package import Store

/// The audit trail of an API: events about its accounts.
///
/// An event is stored in the transaction of the change that it reports, so there is never one without the other. Its
/// number, `seq`, is a cursor: events are numbered in the order in which transactions commit, so a reader that
/// continues after the last number it got misses none. A request that is refused because of a lock or a quota leaves no
/// event.
package struct AuditTrail: Sendable {
    /// Who causes an event.
    package enum Source: String, CaseIterable, Sendable {
        /// The account, in an open session.
        case account
        /// A request without a session, such as a sign-in.
        case anonymous
        /// An administrator.
        case admin
        /// The service itself, such as when it delivers a mail.
        case service
    }

    let realm: Realm

    package init(_ realm: Realm) {
        self.realm = realm
    }

    /// Stores an event.
    ///
    /// - Parameters:
    ///   - account: the number of the account; nil for an email that has none.
    ///   - source: who causes the event.
    ///   - origin: where the request comes from.
    ///   - detail: what the event is about, beyond the account.
    package func record(
        _ kind: EventKind,
        of account: Int?,
        by source: Source,
        from origin: Origin = .unknown,
        detail: EventDetail? = nil,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let event = Event(
            seq: tx.ordersNumbers ? try tx.nextNumber(of: Event.self) : 0,
            time: now,
            api: realm.rawValue,
            account: account,
            kind: kind.rawValue,
            by: source.rawValue,
            ip: origin.ip,
            agent: origin.agent,
            detail: detail
        )
        if tx.ordersNumbers { try tx.insert(event) } else { try tx.insert(UnnumberedEvent(event, at: now)) }
        tx.afterwards(.events)
    }

    /// An event without detail, to measure.
    func sample(
        _ kind: EventKind,
        of account: Int?,
        by source: Source = .anonymous,
        from origin: Origin,
        at now: Timestamp
    ) -> Event {
        Event(
            seq: 1_000,
            time: now,
            api: realm.rawValue,
            account: account,
            kind: kind.rawValue,
            by: source.rawValue,
            ip: origin.ip,
            agent: origin.agent,
            detail: nil
        )
    }

    /// Erases addresses, programs and details from the events of a deleted account.
    ///
    /// - Parameters:
    ///   - numbers: from the lowest number of an event that is not erased yet to that of the last one to erase.
    ///   - limit: the maximum number of events to visit.
    /// - Returns: the number of visited events, and the lowest number of the others.
    func erase(
        _ account: Int,
        _ numbers: ClosedRange<Int>,
        limit: Int,
        in tx: Transaction
    ) throws -> (visited: Int, next: Int) {
        let events = try tx.scan(
            Event.byAccount,
            prefix: Key(realm.rawValue, account),
            from: Key(realm.rawValue, account, numbers.lowerBound),
            before: Key(realm.rawValue, account, numbers.upperBound + 1),
            limit: limit
        )
        for var event in events where event.ip != nil || event.agent != nil || event.detail != nil {
            event.erase()
            try tx.update(event)
        }
        return (events.count, events.last.map { $0.seq + 1 } ?? numbers.lowerBound)
    }
}

extension Event {
    /// Removes what could tell of a person.
    mutating func erase() { (ip, agent, detail) = (nil, nil, nil) }
}

extension EventDetail {
    /// About a record of a kind, by its number.
    init(
        session: Int? = nil,
        client: Int? = nil,
        patient: Int? = nil,
        share: Int? = nil,
        invitation: Int? = nil,
        change: EventChange? = nil,
        actor: String? = nil
    ) {
        self.init(
            session: session,
            client: client,
            patient: patient,
            share: share,
            mail: nil,
            invitation: invitation,
            mailKind: nil,
            change: change?.rawValue,
            actor: actor
        )
    }

    /// About a mail.
    init(mail: OutboxMail, actor: String? = nil) {
        self.init(
            session: nil,
            client: nil,
            patient: nil,
            share: nil,
            mail: mail.id,
            invitation: nil,
            mailKind: mail.kind,
            change: nil,
            actor: actor
        )
    }
}

/// What happened to the record that an event is about.
enum EventChange: String, CaseIterable {
    case created, updated, deleted
}

extension Event: Record {
    package static let collection = Collection<Event>("events", isNumbered: true, ordered: [byAccount])
    /// The events of an account, the earliest first.
    static let byAccount = OrderedIndex<Event>("account") { event in
        event.account.map { Key(event.api, $0, event.seq) }
    }

    package var key: Key { Key(seq) }
}
