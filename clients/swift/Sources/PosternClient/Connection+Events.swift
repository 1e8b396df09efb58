import Platform
import Synchronization

/// The events that the process sends on its own.
extension Connection {
    /// Takes a message that the process sends on its own.
    func take(_ message: HostMessage) {
        guard let events, message.id == nil, message.method == "event" else { return deliveries.take(message) }
        events.put(message.params ?? [])
        while mustHold(events) { mayRead.take() }
    }

    /// Whether the output must not be read on: many events are not taken, and no reply is expected.
    private func mustHold(_ events: EventQueue) -> Bool {
        let isFull = events.isFull
        return state.withLock { state in
            let isExpecting = !state.calls.isEmpty || state.isReadinessOpen
            state.isHolding = isFull && !isExpecting && state.refusal == nil && !state.hasExited
            return state.isHolding
        }
    }

    /// Lets the reading thread look again, if it holds the output back.
    func readOn() {
        let isHolding = state.withLock { state in
            defer { state.isHolding = false }
            return state.isHolding
        }
        if isHolding { mayRead.post(()) }
    }

    /// Waits for the next event; nil at the end.
    func nextEvent() async throws(PosternError) -> Event? {
        guard let events else { throw .noEvents }
        return try await events.next { readOn() }
    }
}
