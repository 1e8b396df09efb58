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
        let next = try Self.next(in: tx)
        let empty = UnknownEvents(number: 1, used: 0, padding: "")
        var share = try tx.get(UnknownEvents.self, empty.key) ?? empty
        // A trail that was imported without it may have lower numbers.
        share.used = min(max(share.used, next), next + bounds.eventsMax + Limits.unknownEventNumbers)
        if share.used - next <= bounds.eventsMax {
            share.used += Limits.unknownEventNumbers
            share.padding = ""
            try record(kind, of: nil, by: source, from: origin, at: now, in: tx)
        } else {
            let event = sample(kind, of: nil, by: source, from: origin, at: now)
            share.padding = String(repeating: " ", count: tx.insertionBytes(of: event))
        }
        try tx.save(share)
    }

    /// The number of the next event.
    private static func next(in tx: Transaction) throws -> Int {
        try (last(in: tx) ?? deleted(in: tx)) + 1
    }
}

extension UnknownEvents: Record {
    package static let collection = Collection<UnknownEvents>("unknown events")

    package var key: Key { Key(number) }
}
