import JSON
internal import Platform

/// Executes units of work on worker threads, and commits each unit alone. It is meant for an engine whose commit
/// waits for another machine.
///
/// A worker runs one phase of a unit. A unit that waits for slow work occupies no worker, and any worker may run its
/// next phase.
final class PooledExecutor: Executor {
    private enum Job: Sendable {
        case execute(Ticket, SharedUnit)
        case lookAhead(Ticket, SharedUnit)
        /// Ends one worker.
        case end
    }

    /// Safe to send: the bytes that the unit points to do not change while the unit refers to their chunk. Only the
    /// loop uses the mutable counts in the unit's chunk and batch.
    private struct SharedUnit: @unchecked Sendable {
        let unit: UnitOfWork
    }

    /// The threads' common state.
    private struct Exchange: Sendable {
        let jobs = Mailbox<Job>()
        let finished = Collector<(ticket: Ticket, execution: FinishedExecution)>()
        let ended = Mailbox<Void>()
        let makeSession: @Sendable () -> WorkerSession
        let wake: @Sendable () -> Void
    }

    let isInline = false
    private let exchange: Exchange
    private let workersMax: Int
    private var workers = 0
    private var underWay = 0
    private let startThread: Thread.Starter
    /// Executes the requests that need no store, on the calling thread.
    private let handler: any RequestHandler
    /// The session of the calling thread, which executes units if no worker thread can be started.
    private var ownSession: WorkerSession?

    /// - Parameters:
    ///   - workers: how many threads execute requests; at least 1.
    ///   - handler: executes the requests that need no store.
    ///   - startThread: starts a worker's thread.
    ///   - wake: called when an execution has ended, on the thread that ran it.
    ///   - makeSession: makes a worker's session, on the worker's thread.
    init(
        workers: Int,
        handler: any RequestHandler,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void,
        makeSession: @escaping @Sendable () -> WorkerSession
    ) {
        precondition(workers > 0, "a pool without workers executes nothing")
        workersMax = workers
        self.startThread = startThread
        self.handler = handler
        exchange = Exchange(makeSession: makeSession, wake: wake)
    }

    /// At most two jobs per worker: one runs and one is queued, so that no worker waits for the loop.
    var isFull: Bool { underWay >= 2 * workersMax }

    func needsWorker(_ unit: UnitOfWork) -> Bool {
        unit.request.map { handler.needsStore($0) } ?? false
    }

    func execute(_ unit: UnitOfWork, _ ticket: Ticket, replies: inout ReplyBuffer) -> Execution {
        guard needsWorker(unit) else {
            var reply = JSONWriter()
            // Without the store there is no password to hash, so it waits for nothing.
            _ = unit.execute(by: handler, reply: &reply)
            replies.stage(reply.take(), to: unit.address)
            return .done
        }
        start(.execute(ticket, SharedUnit(unit: unit)))
        return .underWay
    }

    func lookAhead(_ unit: UnitOfWork, _ ticket: Ticket) -> Execution {
        start(.lookAhead(ticket, SharedUnit(unit: unit)))
        return .underWay
    }

    func takeFinished() -> [(ticket: Ticket, execution: FinishedExecution)] {
        let taken = exchange.finished.takeAll()
        underWay -= taken.count
        return taken
    }

    func commit(_ replies: inout ReplyBuffer) {
        replies.release()
    }

    func finish() {
        for _ in 0..<workers { exchange.jobs.post(.end) }
        for _ in 0..<workers { exchange.ended.take() }
        workers = 0
        ownSession?.finish()
        ownSession = nil
    }

    /// Queues a job. If no worker thread can be started, the calling thread runs the job.
    private func start(_ job: Job) {
        underWay += 1
        while workers < workersMax, startWorker() { workers += 1 }
        guard workers == 0 else { return exchange.jobs.post(job) }
        let session = ownSession ?? exchange.makeSession()
        ownSession = session
        Self.run(job, in: session, exchange)
        for task in session.tasks { _ = task() }
    }

    private func startWorker() -> Bool {
        let exchange = exchange
        return startThread {
            let session = exchange.makeSession()
            var milliseconds: Int?
            while true {
                let job = milliseconds.map { exchange.jobs.take(milliseconds: $0) } ?? exchange.jobs.take()
                if let job {
                    if case .end = job { break }
                    Self.run(job, in: session, exchange)
                }
                milliseconds = session.tasks.compactMap { $0() }.min()
            }
            session.finish()
            exchange.ended.post(())
        }
    }

    private static func run(_ job: Job, in session: WorkerSession, _ exchange: Exchange) {
        switch job {
        case .execute(let ticket, let shared):
            exchange.finished.add((ticket, execution(of: shared.unit, by: session.handler)))
        case .lookAhead(let ticket, let shared):
            let work = shared.unit.request.flatMap { session.handler.lookAhead($0) }
            exchange.finished.add((ticket, work.map { .waits($0) } ?? .lookedAhead))
        case .end: return
        }
        exchange.wake()
    }

    private static func execution(of unit: UnitOfWork, by handler: any RequestHandler) -> FinishedExecution {
        var reply = JSONWriter()
        if let work = unit.execute(by: handler, reply: &reply) {
            handler.rollback()
            return .waits(work)
        }
        unit.commit(by: handler, reply: &reply)
        return .done(reply: reply.take())
    }
}
