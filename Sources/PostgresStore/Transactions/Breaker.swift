internal import Synchronization

/// Gives the requests of a process turns to connect, one at a time, and lets them fail at once while the server cannot
/// be reached.
///
/// It opens when a request has tried to connect as long as it may. While it is open, one request each
/// `retryMilliseconds` has a turn, and the others fail; an answer on an open connection brings one more, at most as
/// often. While it is closed, requests wait for their turns, but need none once one of them has
/// connected: a connection can take seconds, if the first of several hosts is gone.
final class Breaker: Sendable {
    /// Whether a request may try to connect.
    enum Admission: Equatable {
        /// It must fail for this reason.
        case refused(String)
        /// It has the turn, which it passes on with `passTurn`.
        case turn
        /// It needs no turn.
        case free
    }

    private struct State {
        /// Why the server cannot be reached; nil if it can, as far as is known.
        var reason: String?
        /// When the next request has a turn, if the breaker is open.
        var nextTry = 0
        /// The same if another connection has had an answer since the last try failed.
        var nextEarlyTry = 0
        /// Whether the last try succeeded, and no connection was lost since.
        var isReachable = false
        /// Whether a request has the turn.
        var isTaken = false

        /// Whether another connection has had an answer since the last try failed.
        var hasAnswer = false

        /// Why a request must fail at once; nil if it may wait for the turn.
        func refusal(at now: Int) -> String? {
            if hasAnswer, isTaken || now >= nextEarlyTry { return nil }
            return isTaken || now < nextTry ? reason : nil
        }
    }

    /// The pause between two tries.
    static let retryMilliseconds = 1_000

    private let clocks: Clocks
    private let state = Mutex(State())
    private let turn = Turn()

    init(_ clocks: Clocks) {
        self.clocks = clocks
    }

    /// Admits a request that wants to connect. It waits for the turn if the breaker is closed.
    ///
    /// - Parameter deadline: until when to wait, in milliseconds of `MonotonicClock`.
    func admit(before deadline: Int) -> Admission {
        if isReachable { return .free }
        if let reason = refusal { return .refused(reason) }
        let waits = state.withLock { $0.reason == nil || $0.hasAnswer }
        let hasTurn = turn.take(milliseconds: waits ? deadline - clocks.milliseconds() : 0)
        // What the request has found that had the turn.
        let outcome: Admission? = isReachable ? .free : refusal.map { .refused($0) }
        if let outcome {
            if hasTurn { turn.pass() }
            return outcome
        }
        guard hasTurn else { return .refused("another request is still trying to connect") }
        let nextEarlyTry = clocks.milliseconds() + Self.retryMilliseconds
        state.withLock { state in
            state.isTaken = true
            if state.hasAnswer { state.nextEarlyTry = nextEarlyTry }
        }
        return .turn
    }

    /// A connection was lost: requests need turns again.
    func noteLoss() { state.withLock { $0.isReachable = false } }

    /// Lets the next request have the turn.
    func passTurn() {
        state.withLock { $0.isTaken = false }
        turn.pass()
    }

    /// Whether requests fail at once.
    var isOpen: Bool { state.withLock { $0.reason != nil } }

    /// The server could not be reached.
    func open(_ reason: String) {
        let nextTry = clocks.milliseconds() + Self.retryMilliseconds
        state.withLock { state in
            (state.reason, state.nextTry) = (reason, nextTry)
            (state.hasAnswer, state.isReachable) = (false, false)
        }
    }

    /// The server has answered on a connection that was open. The next request need not wait to try, and the others
    /// wait for what it finds: the server is back, or it refuses more connections.
    func noteAnswer() { state.withLock { $0.hasAnswer = $0.reason != nil } }

    /// The server was reached. Returns whether it could not be reached before.
    func close() -> Bool {
        state.withLock { state in
            defer { (state.reason, state.hasAnswer, state.isReachable) = (nil, false, true) }
            return state.reason != nil
        }
    }

    private var isReachable: Bool { state.withLock { $0.isReachable } }

    private var refusal: String? {
        let now = clocks.milliseconds()
        return state.withLock { $0.refusal(at: now) }
    }
}
