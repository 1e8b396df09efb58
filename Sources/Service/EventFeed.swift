package import Accounts
package import JSONRPC
package import Store
internal import Platform

/// Sends the host the events of the audit trail: each is a notification `event`, after it is durable and in the order
/// of the numbers.
///
/// A task of the loop reads the events after the last one that was sent, so those of other processes too. It reads when
/// a transaction of its own store has written an event, and each `Limits.eventLookMilliseconds`. While the host does
/// not read, it reads nothing and keeps nothing: the events stay in the store. After a restart the host states its own
/// cursor, so it misses none, and may get some again.
package final class EventFeed {
    private let source: any EventSource
    private let host: HostMessages
    private let clock: () -> Int
    private let log: (String) -> Void
    /// The number of the last event that was sent.
    private var cursor: Int
    /// Whether there may be events after the cursor.
    private var mayHaveMore = true
    /// When to look again, in milliseconds of the clock.
    private var nextLook = 0
    private var isStoreFailing = false
    /// Whether the source has been asked, and does not know the events yet.
    private var isAwaiting = false
    /// Until when events are sent after the end of the input; nil before.
    private var deadline: Int?

    /// - Parameters:
    ///   - source: reads the events.
    ///   - cursor: the number after which they start, which `AuditTrail.cursor(of:in:)` returns.
    ///   - clock: the milliseconds of a monotonic clock.
    ///   - log: writes one line, without secrets, to the administrator's log.
    package init(
        from source: any EventSource,
        after cursor: Int,
        to host: HostMessages,
        clock: @escaping () -> Int = { MonotonicClock.milliseconds },
        log: @escaping (String) -> Void
    ) {
        (self.source, self.cursor, self.host, self.clock, self.log) = (source, cursor, host, clock, log)
    }

    /// A feed from a store of the loop's thread.
    ///
    /// - Throws: `EventsGone`, `EventsAhead`, `StoreError`.
    package convenience init(
        store: Store,
        host: HostMessages,
        from start: EventStart,
        clock: @escaping () -> Int = { MonotonicClock.milliseconds },
        log: @escaping (String) -> Void
    ) throws {
        let cursor = try Self.cursor(of: start, in: store)
        self.init(from: StoreEvents(store), after: cursor, to: host, clock: clock, log: log)
    }

    /// The number after which a feed starts.
    ///
    /// - Throws: `EventsGone`, `EventsAhead`, `StoreError`.
    package static func cursor(of start: EventStart, in store: Store) throws -> Int {
        let cursor = try store.read { try AuditTrail.cursor(of: start, in: $0) }
        try store.makeDurable()
        return cursor
    }

    /// Sends events, at most `Accounts.Limits.eventsPerPush` at a time, so that requests are read in between. Nothing
    /// may be staged in the store.
    ///
    /// - Returns: after how many milliseconds to call it again.
    package func push() -> Int {
        let now = clock()
        let (isNew, isDue) = (source.takeNews(), now >= nextLook)
        if host.isInputEnded, isNew || deadline == nil {
            deadline = now + Accounts.Limits.lastEventsSeconds * 1_000
        }
        // At the end the host gets what the last requests have caused, also those that other threads have executed.
        if isNew || isDue || host.isInputEnded { mayHaveMore = true }
        if mayHaveMore, isDue || !isStoreFailing, host.hasRoom { read(at: now) }
        host.hasMoreToSend = mayHaveMore && !isStoreFailing && deadline.map { now < $0 } ?? true
        // The loop also runs its tasks when the host has read.
        guard host.hasRoom else { return Accounts.Limits.eventLookMilliseconds }
        return mayHaveMore && !isStoreFailing && !isAwaiting ? 0 : max(1, nextLook - now)
    }

    private func read(at now: Int) {
        nextLook = now + Accounts.Limits.eventLookMilliseconds
        do {
            isAwaiting = false
            guard let events = try source.events(after: cursor) else {
                isAwaiting = true
                return
            }
            isStoreFailing = false
            for event in events {
                guard host.notify(HostMethod.event, params: event.write) else { return }
                cursor = event.seq
            }
            mayHaveMore = events.count == Accounts.Limits.eventsPerPush
        } catch let gone as EventsGone {
            log(
                "events: numbers \(cursor + 1) to \(gone.through) were deleted because of their age or number before "
                    + "the host has read them; raise --audit-days or --audit-max"
            )
            cursor = gone.through
        } catch {
            if !isStoreFailing { log("events: the audit trail cannot be read: \(error)") }
            isStoreFailing = true
            nextLook = now + Accounts.Limits.eventRetryMilliseconds
        }
    }
}
