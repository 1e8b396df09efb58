import Synchronization

/// The events that the program has not taken.
final class EventQueue: Sendable {
    private struct State {
        /// The events as JSON text. Those before `next` were taken, and are removed together.
        var events: [[UInt8]] = []
        var next = 0
        /// The number of the last event that was taken, or that the client was opened with.
        var after: Int?
        /// Whether an event was dropped. The next ones would leave a gap.
        var isLost = false
        /// Why no more events follow; nil while some may follow.
        var end: End?
        /// The tasks that wait for an event.
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter = 0

        var count: Int { events.count - next }

        mutating func takeFirst() -> [UInt8] {
            defer {
                next += 1
                if next == events.count || next == Limits.eventsHeld {
                    events.removeFirst(next)
                    next = 0
                }
            }
            return events[next]
        }
    }

    private enum End {
        case closed
        case failed(PosternError)
    }

    private enum Taken {
        case event([UInt8])
        case nothing
        case end(PosternError?)
    }

    private let state: Mutex<State>

    private let eventsMax: Int

    /// - Parameters:
    ///   - after: the number of the last event that the program has.
    ///   - eventsMax: at how many events the others are dropped.
    init(after: Int?, eventsMax: Int = Limits.eventsMax) {
        self.eventsMax = eventsMax
        state = Mutex(State(after: after))
    }

    /// Whether so many events wait that the output is not read on, unless a reply is expected.
    var isFull: Bool { state.withLock { $0.count >= Limits.eventsHeld } }

    /// Keeps an event.
    func put(_ event: [UInt8]) {
        let waiting = state.withLock { state in
            guard state.end == nil else { return [CheckedContinuation<Void, Never>]() }
            state.isLost = state.isLost || state.count >= eventsMax
            if !state.isLost { state.events.append(event) }
            return Self.takeWaiting(&state)
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Ends the queue after its events.
    ///
    /// - Parameter failure: what is thrown then; nil for the end of the sequence.
    func end(_ failure: PosternError?) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = failure.map { .failed($0) } ?? .closed }
            return Self.takeWaiting(&state)
        }
        for waiter in waiting { waiter.resume() }
    }

    private static func takeWaiting(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.waiting = [:] }
        return Array(state.waiting.values)
    }

    /// Waits for the next event; nil at the end.
    ///
    /// - Parameter taken: called when an event was taken.
    func next(_ taken: () -> Void) async throws(PosternError) -> Event? {
        while true {
            switch takeFirst() {
            case .event(let json):
                taken()
                let event = try Event(result: json, of: "event")
                state.withLock { $0.after = event.seq }
                return event
            case .end(nil): return nil
            case .end(let failure?): throw failure
            case .nothing:
                if Task.isCancelled { throw .cancelled }
                await waitForEvent()
            }
        }
    }

    private func takeFirst() -> Taken {
        state.withLock { state in
            if state.count > 0 { return .event(state.takeFirst()) }
            if state.isLost { return .end(.eventsLost(after: state.after)) }
            switch state.end {
            case nil: return .nothing
            case .closed: return .end(nil)
            case .failed(let failure): return .end(failure)
            }
        }
    }

    /// Waits until there is an event, no more follow, or the task is cancelled.
    private func waitForEvent() async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isDone = state.withLock { state in
                    // If the cancellation handler ran before, it did not find the waiter.
                    if state.count > 0 || state.isLost || state.end != nil || Task.isCancelled { return true }
                    state.waiting[number] = waiter
                    return false
                }
                if isDone { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
        }
    }
}
