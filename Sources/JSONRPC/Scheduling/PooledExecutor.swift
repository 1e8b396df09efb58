import JSON
internal import Platform
internal import Synchronization

/// The request handler and the background tasks of one worker. Only the worker's thread uses them.
package struct WorkerSession {
    let handler: any RequestHandler
    let tasks: [LoopTask]

    /// - Parameters:
    ///   - handler: carries out requests, with its own engine session and domain objects.
    ///   - tasks: the background work for requests of this session. It runs after each request.
    package init(handler: any RequestHandler, tasks: [LoopTask]) {
        self.handler = handler
        self.tasks = tasks
    }
}

/// Carries out units of work on worker threads, and commits each unit alone. It is meant for an engine whose commit
/// waits for another machine.
///
/// A worker runs one phase of a unit. A unit that waits for slow work occupies no worker, and any worker may run its
/// next phase.
final class PooledExecutor: Executor {
    /// Safe to send: the bytes that the unit points to do not change, and the loop keeps them until the job is
    /// finished. Only the loop uses the mutable counts in the unit's chunk and batch.
    private struct Job: @unchecked Sendable {
        let ticket: Ticket
        let unit: UnitOfWork
        let isLookAhead: Bool
    }

    private let jobs = Mailbox<Job>()
    private let finished = FinishedExecutions()
    private let workersMax: Int
    private var workers = 0
    private var underWay = 0
    private let startThread: Thread.Starter
    private let makeSession: @Sendable () -> WorkerSession
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - workers: how many threads carry out requests.
    ///   - startThread: starts a worker's thread.
    ///   - wake: called when an execution has ended, on the thread that ran it.
    ///   - makeSession: makes a worker's session, on the worker's thread.
    init(
        workers: Int,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void,
        makeSession: @escaping @Sendable () -> WorkerSession
    ) {
        workersMax = workers
        self.startThread = startThread
        self.makeSession = makeSession
        self.wake = wake
    }

    /// At most two jobs per worker: one runs and one is queued, so that no worker waits for the loop.
    var isFull: Bool { underWay >= 2 * workersMax }

    func carryOut(_ unit: UnitOfWork, _ ticket: Ticket, replies: inout ReplyBuffer) -> Execution {
        start(Job(ticket: ticket, unit: unit, isLookAhead: false))
        return .underWay
    }

    func lookAhead(_ unit: UnitOfWork, _ ticket: Ticket) -> Execution {
        start(Job(ticket: ticket, unit: unit, isLookAhead: true))
        return .underWay
    }

    func takeFinished() -> [(ticket: Ticket, execution: FinishedExecution)] {
        let taken = finished.take()
        underWay -= taken.count
        return taken
    }

    func commit(_ replies: inout ReplyBuffer) {
        replies.release()
    }

    /// Queues a job. If no worker thread can be started, the calling thread runs the job.
    private func start(_ job: Job) {
        underWay += 1
        while workers < workersMax, startWorker() { workers += 1 }
        if workers > 0 { jobs.post(job) } else { Self.run(job, in: ownSession, finished, wake) }
    }

    private lazy var ownSession = makeSession()

    private func startWorker() -> Bool {
        let (jobs, finished, makeSession, wake) = (jobs, finished, makeSession, wake)
        return startThread {
            let session = makeSession()
            while true { Self.run(jobs.take(), in: session, finished, wake) }
        }
    }

    private static func run(
        _ job: Job,
        in session: WorkerSession,
        _ finished: FinishedExecutions,
        _ wake: @Sendable () -> Void
    ) {
        finished.add(job.ticket, execution(of: job, in: session))
        wake()
        for task in session.tasks { _ = task() }
    }

    private static func execution(of job: Job, in session: WorkerSession) -> FinishedExecution {
        let (unit, handler) = (job.unit, session.handler)
        if job.isLookAhead {
            return unit.request.flatMap { handler.lookAhead($0) }.map { .waits($0) } ?? .lookedAhead
        }
        var reply = JSONWriter()
        if let work = unit.perform(by: handler, reply: &reply) {
            handler.rollback()
            return .waits(work)
        }
        unit.commit(by: handler, reply: &reply)
        return .done(reply: reply.take())
    }
}

/// The executions that workers have finished and the loop has not taken yet.
private final class FinishedExecutions: Sendable {
    private let executions = Mutex<[(ticket: Ticket, execution: FinishedExecution)]>([])

    func add(_ ticket: Ticket, _ execution: FinishedExecution) {
        executions.withLock { $0.append((ticket, execution)) }
    }

    func take() -> [(ticket: Ticket, execution: FinishedExecution)] {
        executions.withLock { executions in
            defer { executions = [] }
            return executions
        }
    }
}
