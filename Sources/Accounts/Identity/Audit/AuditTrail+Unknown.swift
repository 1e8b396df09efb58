package import Store

/// Events about emails that have no account.
///
/// Anyone can cause them with invented emails, so they have a limited share of the trail: at most a quarter of the
/// events that it keeps. Otherwise a flood of them would push out all other events. What exceeds the share is not
/// stored: it has no number, so a reader of the trail still misses no event after its cursor.
///
/// Each such event uses `Limits.unknownEventNumbers` numbers of the share, and an event of any kind gives one back. The
/// share may be ahead by as many numbers as the trail keeps events. So of the last `eventsMax` events, at most
/// `2 * eventsMax / 8` are of this kind (GCRA, ITU-T I.371, with numbers of events in place of time).
extension AuditTrail {
    /// Stores an event about an email without an account, unless the share is used up. Then a record that is
    /// overwritten each time takes its place, so that the reply takes as long.
    func recordUnknown(
        _ kind: EventKind,
        by source: Source,
        from origin: Origin,
        _ bounds: AuditBounds,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        guard tx.ordersNumbers else {
            // The share counts numbers, so it is applied when the event gets its number.
            return try record(kind, of: nil, by: source, from: origin, at: now, in: tx)
        }
        var share = try Self.share(bounds, in: tx)
        if share.take() {
            share.record.padding = ""
            try record(kind, of: nil, by: source, from: origin, at: now, in: tx)
        } else {
            let event = sample(kind, of: nil, by: source, from: origin, at: now)
            share.record.padding = String(repeating: " ", count: tx.insertionBytes(of: event))
        }
        try tx.save(share.record)
    }

    /// The share of the trail that is used when an event gets its number.
    struct Share {
        var record: UnknownEvents
        /// The number of the next event.
        var next: Int
        let eventsMax: Int

        /// Takes the place of an event from the share. Returns false if the share is used up.
        mutating func take() -> Bool {
            // A trail that was imported without it may have lower numbers.
            record.used = min(max(record.used, next), next + eventsMax + Limits.unknownEventNumbers)
            guard record.used - next <= eventsMax else { return false }
            record.used += Limits.unknownEventNumbers
            return true
        }
    }

    static func share(_ bounds: AuditBounds, in tx: Transaction) throws -> Share {
        let empty = UnknownEvents(number: 1, used: 0, padding: "")
        let record = try tx.get(UnknownEvents.self, empty.key) ?? empty
        return Share(record: record, next: try next(in: tx), eventsMax: bounds.eventsMax)
    }

    /// The number of the next event.
    static func next(in tx: Transaction) throws -> Int {
        try (last(in: tx) ?? deleted(in: tx)) + 1
    }
}

extension UnknownEvents: Record {
    package static let collection = Collection<UnknownEvents>("unknown events")

    package var key: Key { Key(number) }
}
