import Glibc
import JSON
import Synchronization
import Platform

/// The calls in flight through one process, from its start to its end.
///
/// Five threads serve it, none of which keeps another from its work: one reads replies and gives each to its call, one
/// writes what the pipe had no room for, one reads stderr, one passes on what it reads, and one waits for the end of the
/// process. They keep the connection alive until then.
final class Connection: Sendable {
    private typealias Outcome = Result<[UInt8], PosternError>

    private struct State {
        /// Ids count from 1.
        var lastID = 0
        /// The calls that wait for their reply, by id.
        var calls: [Int: CheckedContinuation<Outcome, Never>] = [:]
        /// Why no call is taken any more.
        var refusal: PosternError?
        var hasEnded = false
        /// The call that asks whether the process serves, which no task waits for.
        var readinessID: Int?
        /// Those who wait for the end.
        var closers: [CheckedContinuation<Void, Never>] = []
        /// Ends the process where it does not end by itself.
        var escalation: Task<Void, any Error>?
    }

    private let process: ChildProcess
    private let writer: RequestWriter
    private let log: LogReader
    private let state = Mutex(State())
    private let hasExited = Latch()
    private let outputHasEnded = Latch()
    private let logHasEnded = Latch()
    /// Open once the process has answered whether it serves, or will not.
    private let isAnswered = Latch()

    /// - Parameter startThread: starts a thread, or says that none is to be had.
    init(
        _ command: Command,
        onLog: @escaping @Sendable (String) -> Void,
        startThread: Thread.Starter = Thread.start
    ) throws(PosternError) {
        process = try ChildProcess(command)
        writer = RequestWriter(process.input)
        log = LogReader(process.log, onLine: onLog)
        guard startThreads(with: startThread) else {
            process.send(signal: SIGKILL)
            _ = process.wait()
            writer.abandon()
            throw .notStarted("no thread is to be had")
        }
    }

    private func startThreads(with start: Thread.Starter) -> Bool {
        let threads: [(closes: Int32?, body: @Sendable () -> Void)] = [
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
        // What those would have closed in the end is closed here.
        for descriptor in missing.compactMap(\.closes) { Glibc.close(descriptor) }
        return missing.isEmpty
    }

    var processIdentifier: Int32 { process.identifier }

    // MARK: Calls

    /// Calls a method and waits for its result, as JSON text.
    ///
    /// - Parameter params: writes the member `params`, or nothing.
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
        } else if Task.isCancelled {
            // Where the handler ran before the call was noted, it has found nothing to end.
            end(id, with: .failure(.cancelled))
        } else {
            writer.send(line)
        }
    }

    /// Ends a call, unless it has ended already.
    private func end(_ id: Int, with outcome: Outcome) {
        state.withLock { $0.calls.removeValue(forKey: id) }?.resume(returning: outcome)
    }

    /// Waits until the process serves, and throws why it does not.
    ///
    /// It blocks the thread, as the start of a process does; what it waits for needs no other thread of a task.
    func waitUntilReady() throws(PosternError) {
        let id = state.withLock { state in
            state.lastID += 1
            state.readinessID = state.lastID
            return state.lastID
        }
        writer.send(try Request.line(id: id, method: "system.info", params: { _ in }))
        let isInTime = isAnswered.wait(seconds: Limits.readinessSeconds)
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

    /// Takes no more calls and ends the input; the process answers what it has been sent, and ends.
    func beginClosing(within limit: Duration) {
        state.withLock { $0.refusal = .clientClosed }
        writer.finish()
        endProcess(after: limit)
    }

    /// Ends the client, as what comes from the process cannot be understood.
    private func fail(_ text: String) {
        let error = PosternError.protocolViolation(text)
        let calls = state.withLock { state in
            if state.refusal == nil { state.refusal = error }
            defer { state.calls = [:] }
            return state.calls.values
        }
        for call in calls { call.resume(returning: .failure(error)) }
        isAnswered.open()
        writer.abandon()
        endProcess(after: .zero)
    }

    /// Sends SIGTERM if the process goes on for longer than that, and then SIGKILL. The first limit counts.
    private func endProcess(after limit: Duration) {
        state.withLock { state in
            guard state.escalation == nil, !state.hasEnded else { return }
            state.escalation = Task { [process] in
                try await Task.sleep(for: limit)
                process.send(signal: SIGTERM)
                try await Task.sleep(for: .seconds(Limits.killSeconds))
                process.send(signal: SIGKILL)
            }
        }
    }

    // MARK: Threads

    /// Gives each reply to its call.
    private func readReplies() {
        var reader = LineReader(process.output)
        var isBroken = false
        _ = reader.forEachLine { line in
            // What follows something that cannot be understood is read, so that the process can end, and no more.
            guard !isBroken else { return }
            do throws(ReplyFault) {
                try take(try Reply(line))
            } catch {
                isBroken = true
                fail(error.description)
            }
        }
        outputHasEnded.open()
        if !isBroken, !hasExited.wait(seconds: Limits.restSeconds), state.withLock({ $0.refusal == nil }) {
            fail("Postern has closed its output and goes on.")
        }
    }

    private func take(_ reply: Reply) throws(ReplyFault) {
        let (call, isAsked, isReadiness) = state.withLock { state in
            (
                state.calls.removeValue(forKey: reply.id), reply.id >= 1 && reply.id <= state.lastID,
                reply.id == state.readinessID
            )
        }
        // A call that was cancelled has been asked, and nobody waits for its reply.
        guard isAsked else {
            throw ReplyFault(description: "Postern has answered call \(reply.id), which there was not.")
        }
        // An error that the service answers with is an answer as well.
        if isReadiness { isAnswered.open() }
        call?.resume(returning: reply.outcome.mapError { .call($0) })
    }

    private func awaitEnd() {
        let cause = process.wait()
        hasExited.open()
        // What it wrote before it ended still counts.
        _ = outputHasEnded.wait(seconds: Limits.restSeconds)
        _ = logHasEnded.wait(seconds: Limits.restSeconds)
        let error = PosternError.processEnded(ProcessEnded(cause: cause, lastLogLines: log.lastLines))
        let (calls, closers) = state.withLock { state in
            if state.refusal == nil { state.refusal = error }
            state.hasEnded = true
            state.escalation?.cancel()
            defer { (state.calls, state.closers) = ([:], []) }
            return (state.calls.values, state.closers)
        }
        for call in calls { call.resume(returning: .failure(error)) }
        for closer in closers { closer.resume() }
        isAnswered.open()
        writer.abandon()
    }

    /// Runs `body` on a thread where no signal of the host is handled.
    private static func startThread(_ body: @escaping @Sendable () -> Void, with start: Thread.Starter) -> Bool {
        start {
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            body()
        }
    }
}
