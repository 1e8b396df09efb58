internal import Platform
internal import Synchronization

/// Gives the requests of a process turns to connect, one at a time, and lets them fail at once while the server cannot
/// be reached.
///
/// It opens when a request has tried to connect as long as it may. While it is open, one request each
/// `retryMilliseconds` has a turn, and the others fail. While it is closed, requests wait for their turns.
final class Breaker: Sendable {
    private struct State {
        /// Why the server cannot be reached; nil if it can, as far as is known.
        var reason: String?
        /// When the next request has a turn, if the breaker is open.
        var nextTry = 0
        /// Whether a request has the turn.
        var isTaken = false

        /// Whether another connection has had an answer since the last try failed.
        var hasAnswer = false

        /// Why a request must fail at once; nil if it may wait for the turn.
        func refusal(at now: Int) -> String? {
            hasAnswer ? nil : isTaken || now < nextTry ? reason : nil
        }
    }

    /// The pause between two tries.
    static let retryMilliseconds = 1_000

    private let clocks: Clocks
    private let state = Mutex(State())
    /// Has one element while no request has the turn.
    private let turn = Mailbox<Void>()

    init(_ clocks: Clocks) {
        self.clocks = clocks
        turn.post(())
    }

    /// Takes the turn to connect, and waits for it if the breaker is closed. A caller that gets it calls `passTurn`.
    ///
    /// - Parameter deadline: until when to wait, in milliseconds of `MonotonicClock`.
    /// - Returns: why the request must fail; nil if it has the turn.
    func takeTurn(before deadline: Int) -> String? {
        if let reason = refusal { return reason }
        let waits = state.withLock { $0.reason == nil || $0.hasAnswer }
        let hasTurn = turn.take(milliseconds: waits ? deadline - clocks.milliseconds() : 0) != nil
        // The request that had the turn may have failed.
        if let reason = refusal {
            if hasTurn { turn.post(()) }
            return reason
        }
        guard hasTurn else { return "another request is still trying to connect" }
        state.withLock { $0.isTaken = true }
        return nil
    }

    /// Lets the next request have the turn.
    func passTurn() {
        state.withLock { $0.isTaken = false }
        turn.post(())
    }

    /// Whether requests fail at once.
    var isOpen: Bool { state.withLock { $0.reason != nil } }

    /// The server could not be reached.
    func open(_ reason: String) {
        let nextTry = clocks.milliseconds() + Self.retryMilliseconds
        state.withLock { ($0.reason, $0.nextTry, $0.hasAnswer) = (reason, nextTry, false) }
    }

    /// The server has answered on a connection that was open. The next request need not wait to try, and the others wait
    /// for what it finds: the server is back, or it refuses more connections.
    func noteAnswer() { state.withLock { $0.hasAnswer = $0.reason != nil } }

    /// The server was reached. Returns whether it could not be reached before.
    func close() -> Bool {
        state.withLock { state in
            defer { (state.reason, state.nextTry, state.hasAnswer) = (nil, 0, false) }
            return state.reason != nil
        }
    }

    private var refusal: String? {
        let now = clocks.milliseconds()
        return state.withLock { $0.refusal(at: now) }
    }
}
