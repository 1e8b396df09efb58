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
    private let store: Store
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
    /// Until when events are sent after the end of the input; nil before.
    private var deadline: Int?

    /// - Parameters:
    ///   - start: where to start.
    ///   - clock: the milliseconds of a monotonic clock.
    ///   - log: writes one line, without secrets, to the administrator's log.
    /// - Throws: `EventsGone`, `EventsAhead`, `StoreError`.
    package init(
        store: Store,
        host: HostMessages,
        from start: EventStart,
        clock: @escaping () -> Int = { MonotonicClock.milliseconds },
        log: @escaping (String) -> Void
    ) throws {
        (self.store, self.host, self.clock, self.log) = (store, host, clock, log)
        cursor = try store.read { try AuditTrail.cursor(of: start, in: $0) }
        try store.makeDurable()
    }

    /// Sends events, at most `Accounts.Limits.eventsPerPush` at a time, so that requests are read in between. Nothing
    /// may be staged in the store.
    ///
    /// - Returns: after how many milliseconds to call it again.
    package func push() -> Int {
        let now = clock()
        let (isNew, isDue) = (store.takeFollowUp(.events), now >= nextLook)
        if host.isInputEnded, isNew || deadline == nil {
            deadline = now + Accounts.Limits.lastEventsSeconds * 1_000
        }
        // At the end the host gets what the last requests have caused, also those that other threads have executed.
        if isNew || isDue || host.isInputEnded { mayHaveMore = true }
        if mayHaveMore, isDue || !isStoreFailing, host.hasRoom { read(at: now) }
        host.hasMoreToSend = mayHaveMore && !isStoreFailing && deadline.map { now < $0 } ?? true
        // The loop also runs its tasks when the host has read.
        guard host.hasRoom else { return Accounts.Limits.eventLookMilliseconds }
        return mayHaveMore && !isStoreFailing ? 0 : max(1, nextLook - now)
    }

    private func read(at now: Int) {
        nextLook = now + Accounts.Limits.eventLookMilliseconds
        do {
            let events = try store.read {
                try AuditTrail.events(after: cursor, limit: Accounts.Limits.eventsPerPush, in: $0)
            }
            // Events of another process may be in the journal and not yet durable.
            try store.makeDurable()
            isStoreFailing = false
            for event in events {
                guard host.notify(HostMethod.event, params: event.write) else { return }
                cursor = event.seq
            }
            mayHaveMore = events.count == Accounts.Limits.eventsPerPush
        } catch let gone as EventsGone {
            store.discardStaged()
            log(
                "events: numbers \(cursor + 1) to \(gone.through) were deleted because of their age or number before "
                    + "the host has read them; raise --audit-days or --audit-max"
            )
            cursor = gone.through
        } catch {
            store.discardStaged()
            if !isStoreFailing { log("events: the audit trail cannot be read: \(error)") }
            isStoreFailing = true
            nextLook = now + Accounts.Limits.eventRetryMilliseconds
        }
    }
}
