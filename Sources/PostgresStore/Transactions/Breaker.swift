internal import Platform
internal import Synchronization

/// Lets requests fail at once while the server cannot be reached, for all connections of a process.
///
/// It opens when a request has waited for a connection as long as it may. While it is open, one request each
/// `retryMilliseconds` tries to connect, and the others fail.
final class Breaker: Sendable {
    private struct State {
        /// Why the server cannot be reached; nil if it can, as far as is known.
        var reason: String?
        var nextTry = 0
    }

    /// The pause between two tries.
    static let retryMilliseconds = 1_000

    private let state = Mutex(State())

    /// Why a request must fail at once; nil if it may connect.
    func refusal(at now: Int) -> String? {
        state.withLock { state in
            guard let reason = state.reason else { return nil }
            guard now >= state.nextTry else { return reason }
            state.nextTry = now + Self.retryMilliseconds
            return nil
        }
    }

    /// Whether it is open, so that a try to connect is not repeated.
    var isOpen: Bool { state.withLock { $0.reason != nil } }

    /// The server could not be reached.
    func open(_ reason: String, at now: Int) {
        state.withLock { $0 = State(reason: reason, nextTry: now + Self.retryMilliseconds) }
    }

    /// The server was reached. Returns whether it could not be reached before.
    func close() -> Bool {
        state.withLock { state in
            defer { state = State() }
            return state.reason != nil
        }
    }
}
