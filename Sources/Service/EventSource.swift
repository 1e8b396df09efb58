package import Accounts
package import Store
internal import Synchronization

/// Reads the events of the audit trail for a feed.
package protocol EventSource: AnyObject {
    /// Whether there may be new events, or the answer to an earlier question, since the last call.
    func takeNews() -> Bool

    /// The events after a number, at most `Limits.eventsPerPush`; nil if they are not known yet. The caller then asks
    /// again.
    ///
    /// - Throws: `EventsGone`, `StoreError`.
    func events(after cursor: Int) throws -> [Event]?
}

/// Reads them from a store of the same thread. Nothing may be staged in it.
package final class StoreEvents: EventSource {
    private let store: Store

    package init(_ store: Store) {
        self.store = store
    }

    package func takeNews() -> Bool { store.takeFollowUp(.events) }

    package func events(after cursor: Int) throws -> [Event]? {
        do {
            let events = try store.read {
                try AuditTrail.events(after: cursor, limit: Accounts.Limits.eventsPerPush, in: $0)
            }
            // Events of another process may be in the journal and not yet durable.
            try store.makeDurable()
            return events
        } catch {
            store.discardStaged()
            throw error
        }
    }
}

/// Lets another thread read them, so that the loop does not wait for a store on another machine.
package final class RemoteEvents: EventSource, Sendable {
    private struct State {
        /// The number after which events are wanted; nil if they are not wanted.
        var wanted: Int?
        var answer: (cursor: Int, events: Result<[Event], any Error>)?
        var isNew = false
    }

    private let state = Mutex(State())
    private let wakeReader: @Sendable () -> Void
    private let wakeLoop: @Sendable () -> Void

    /// - Parameters:
    ///   - wakeReader: makes the other thread call `read(from:)`.
    ///   - wakeLoop: makes the loop run its tasks.
    package init(wakeReader: @escaping @Sendable () -> Void, wakeLoop: @escaping @Sendable () -> Void) {
        (self.wakeReader, self.wakeLoop) = (wakeReader, wakeLoop)
    }

    package func takeNews() -> Bool {
        state.withLock { state in
            defer { state.isNew = false }
            return state.isNew
        }
    }

    package func events(after cursor: Int) throws -> [Event]? {
        let events = state.withLock { state -> Result<[Event], any Error>? in
            if let answer = state.answer, answer.cursor == cursor {
                state.answer = nil
                return answer.events
            }
            state.wanted = cursor
            return nil
        }
        if let events { return try events.get() }
        wakeReader()
        return nil
    }

    /// Reads the events that are wanted, on the other thread.
    package func read(from store: Store, _ bounds: AuditBounds) {
        let wanted = state.withLock { state in
            defer { state.wanted = nil }
            return state.wanted
        }
        guard let wanted else { return }
        let events = Result {
            _ = try AuditTrail.numberEvents(in: store, bounds, waits: false)
            return try StoreEvents(store).events(after: wanted) ?? []
        }
        let isAnswer = state.withLock { state in
            // A newer question must not get this answer: what its asker knows of may have been stored since.
            guard state.wanted == nil else { return false }
            (state.answer, state.isNew) = ((wanted, events), true)
            return true
        }
        if isAnswer { wakeLoop() }
    }
}
