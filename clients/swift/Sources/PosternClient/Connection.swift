import JSON
import Synchronization
import Platform

/// One process and the calls in flight through it.
///
/// It has five threads, which do not block each other: one reads replies and resumes their calls, one writes requests
/// that did not fit into the pipe, one reads stderr, one passes the lines of stderr on, and one waits until the process
/// has ended. They keep the connection alive until then.
final class Connection: Sendable {
    typealias Outcome = Result<[UInt8], PosternError>

    struct State {
        /// Ids count from 1.
        var lastID = 0
        /// The calls that wait for their reply, by id.
        var calls: [Int: CheckedContinuation<Outcome, Never>] = [:]
        /// The error of new calls, once they are refused.
        var refusal: PosternError?
        var hasEnded = false
        /// The id of the first request, by which opening finds out whether the process serves. No task waits for it.
        var readinessID: Int?
        /// Whether the reply to that request is expected.
        var isReadinessOpen = false
        /// Whether the reading thread waits until `mayRead` has an element.
        var isHolding = false
        var hasExited = false
        /// The callers of `close` that wait for the end.
        var closers: [CheckedContinuation<Void, Never>] = []
        /// Sends SIGTERM and SIGKILL if the process does not end in time.
        var escalation: Task<Void, any Error>?
    }

    private let process: ChildProcess
    private let writer: RequestWriter
    private let log: LogReader
    let deliveries: Deliveries
    /// The events that were not taken; nil if the client gets none.
    let events: EventQueue?
    /// Has an element when the reading thread, which holds the output back, must look again.
    let mayRead = Mailbox<Void>()
    let state = Mutex(State())
    private let hasExited = Latch()
    private let outputHasEnded = Latch()
    private let logHasEnded = Latch()
    /// Open once the first request has its reply, or can get none any more.
    private let isAnswered = Latch()

    /// - Parameters:
    ///   - startThread: starts a thread; returns false if the system refuses.
    ///   - events: takes the events; nil if the client gets none.
    ///   - deliverMail: delivers a mail; nil if the client delivers none.
    init(
        _ command: Command,
        onLog: @escaping @Sendable (String) -> Void,
        startThread: Thread.Starter = Thread.start,
        events: EventQueue? = nil,
        deliverMail: (@Sendable (ServiceMail) async throws -> Void)? = nil
    ) throws(PosternError) {
        self.events = events
        process = try ChildProcess(command)
        let writer = RequestWriter(process.input)
        self.writer = writer
        deliveries = Deliveries(deliverMail: deliverMail) { writer.send($0) }
        log = LogReader(process.log, onLine: onLog)
        guard startThreads(with: startThread) else {
            process.send(.kill)
            _ = process.wait()
            writer.abandon()
            throw .notStarted("no thread could be started")
        }
    }

    private func startThreads(with start: Thread.Starter) -> Bool {
        let threads: [(closes: FileDescriptor?, body: @Sendable () -> Void)] = [
            (nil, { self.awaitEnd() }),
            (nil, { self.writer.run() }),
            (process.output, { self.readReplies() }),
            (process.log, { self.log.run() }),
            (
                nil,
                {
                    self.log.passOn()
                    self.logHasEnded.open()
                }
            ),
        ]
        let missing = threads.drop { Self.startThread($0.body, with: start) }
        // Closes the descriptors that the missing threads would have closed at their end.
        for descriptor in missing.compactMap(\.closes) { descriptor.close() }
        return missing.isEmpty
    }

    var processIdentifier: Int32 { process.identifier }

    // MARK: Calls

    /// Calls a method and waits for its result, as JSON text.
    ///
    /// - Parameter params: writes the property `params`, or nothing.
    func result(
        of method: String,
        params: (inout JSONWriter) -> Void
    ) async throws(PosternError) -> [UInt8] {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let line = try Request.line(id: id, method: method, params: params)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { call in begin(id, line, call) }
        } onCancel: {
            end(id, with: .failure(.cancelled))
        }
        return try outcome.mapError { $0.answering(method) }.get()
    }

    private func begin(_ id: Int, _ line: [UInt8], _ call: CheckedContinuation<Outcome, Never>) {
        let refusal = state.withLock { state in
            if state.refusal == nil { state.calls[id] = call }
            return state.refusal
        }
        if let refusal {
            call.resume(returning: .failure(refusal))
            return
        }
        readOn()
        if Task.isCancelled {
            // If the cancellation handler ran before the call was stored, it did not find the call.
            end(id, with: .failure(.cancelled))
        } else {
            writer.send(line)
        }
    }

    /// Ends a call; does nothing if it has ended.
    private func end(_ id: Int, with outcome: Outcome) {
        state.withLock { $0.calls.removeValue(forKey: id) }?.resume(returning: outcome)
    }

    /// Waits until the process serves; throws if it cannot.
    ///
    /// It blocks the thread, as the start of a process does. It waits for the client's own threads, and not for a task
    /// on Swift's thread pool.
    func waitUntilReady() throws(PosternError) {
        let id = state.withLock { state in
            state.lastID += 1
            state.readinessID = state.lastID
            state.isReadinessOpen = true
            return state.lastID
        }
        writer.send(try Request.line(id: id, method: "system.info", params: { _ in }))
        let isInTime = isAnswered.wait(milliseconds: 1_000 * Limits.readinessSeconds)
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        guard isInTime else {
            throw .notStarted("the program has not answered within \(Limits.readinessSeconds) seconds")
        }
    }

    // MARK: The end

    func close(within limit: Duration) async {
        beginClosing(within: limit)
        await withCheckedContinuation { closer in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.closers.append(closer) }
                return state.hasEnded
            }
            if hasEnded { closer.resume() }
        }
    }

    /// Refuses new calls and ends the input after the deliveries; the process replies to the requests that it was sent,
    /// and ends.
    func beginClosing(within limit: Duration) {
        state.withLock { $0.refusal = .clientClosed }
        events?.end(nil)
        readOn()
        deliveries.end { [writer] in writer.finish() }
        endProcess(after: limit)
    }

    /// Ends the client after output that is not JSON-RPC.
    private func fail(_ text: String) {
        let error = PosternError.protocolViolation(text)
        let calls = state.withLock { state in
            if state.refusal == nil { state.refusal = error }
            defer { state.calls = [:] }
            return state.calls.values
        }
        for call in calls { call.resume(returning: .failure(error)) }
        events?.end(error)
        isAnswered.open()
        writer.abandon()
        endProcess(after: .zero)
    }

    /// Sends SIGTERM if the process runs longer than `limit`, and then SIGKILL. Only the first call has an effect.
    private func endProcess(after limit: Duration) {
        state.withLock { state in
            guard state.escalation == nil, !state.hasEnded else { return }
            state.escalation = Task { [process] in
                try await Task.sleep(for: limit)
                process.send(.terminate)
                try await Task.sleep(for: .seconds(Limits.killSeconds))
                process.send(.kill)
            }
        }
    }

    // MARK: Threads

    /// Reads replies and resumes their calls, and takes what the process sends on its own.
    private func readReplies() {
        var reader = LineReader(process.output)
        var isBroken = false
        _ = reader.forEachLine { line in
            // After a fault, the rest of the output is read and dropped, so that the process can end.
            guard !isBroken else { return }
            do throws(ReplyFault) {
                switch try Message(line) {
                case .reply(let reply): try take(reply)
                case .sentByProcess(let message): take(message)
                }
            } catch {
                isBroken = true
                fail(error.description)
            }
        }
        outputHasEnded.open()
        if !isBroken, !hasExited.wait(milliseconds: 1_000 * Limits.restSeconds), state.withLock({ $0.refusal == nil }) {
            fail("Postern has closed its output and goes on.")
        }
    }

    private func take(_ reply: Reply) throws(ReplyFault) {
        let (call, isAsked, isReadiness) = state.withLock { state in
            let isReadiness = reply.id == state.readinessID
            if isReadiness {
                state.isReadinessOpen = false
                // An error reply also shows that the process serves.
                if case .success(let info) = reply.outcome, state.refusal == nil {
                    state.refusal = ContractVersion.problem(in: info)
                }
            }
            return (
                state.calls.removeValue(forKey: reply.id), reply.id >= 1 && reply.id <= state.lastID, isReadiness
            )
        }
        // The reply to a cancelled call is expected, but no task waits for it.
        guard isAsked else {
            throw ReplyFault(description: "Postern has replied to call \(reply.id), which was not made.")
        }
        if isReadiness { isAnswered.open() }
        call?.resume(returning: reply.outcome.mapError { .call($0) })
    }

    private func awaitEnd() {
        let cause = process.wait()
        hasExited.open()
        state.withLock { $0.hasExited = true }
        readOn()
        // The output that the process wrote before it ended is read first.
        _ = outputHasEnded.wait(milliseconds: 1_000 * Limits.restSeconds)
        _ = logHasEnded.wait(milliseconds: 1_000 * Limits.restSeconds)
        let error = PosternError.processEnded(ProcessEnded(cause: cause, lastLogLines: log.lastLines))
        let (calls, closers) = state.withLock { state in
            if state.refusal == nil { state.refusal = error }
            state.hasEnded = true
            state.escalation?.cancel()
            defer { (state.calls, state.closers) = ([:], []) }
            return (state.calls.values, state.closers)
        }
        for call in calls { call.resume(returning: .failure(error)) }
        events?.end(error)
        for closer in closers { closer.resume() }
        isAnswered.open()
        writer.abandon()
    }

    /// Runs `body` on a thread that blocks all signals, so that it runs no signal handler of the host.
    private static func startThread(_ body: @escaping @Sendable () -> Void, with start: Thread.Starter) -> Bool {
        start {
            Signal.blockAll()
            body()
        }
    }
}
