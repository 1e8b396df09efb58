import JSON
internal import Platform
internal import Synchronization

/// What a worker of the pool works with. It belongs to the worker's thread.
package struct WorkerSession {
    let handler: any RequestHandler
    let tasks: [LoopTask]

    /// - Parameters:
    ///   - handler: carries out requests, over an engine session and domain objects of its own.
    ///   - tasks: the background work that requests of this session leave, run after each.
    package init(handler: any RequestHandler, tasks: [LoopTask]) {
        self.handler = handler
        self.tasks = tasks
    }
}

/// Carries out units of work on worker threads, each of which commits every unit alone: for an engine whose commit waits
/// for another machine.
///
/// Workers run phases. A unit that waits for slow work holds no worker, and any worker may run its next phase.
final class PooledExecutor: Executor {
    /// Safe to send: the bytes that the unit points into do not change, and the loop, which alone uses the counts beside
    /// them, keeps the unit until the job is finished.
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
    ///   - wake: called on a worker's thread when an execution has ended.
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

    /// One job for each worker is under way, and one more waits, so that no worker waits for the loop.
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

    /// Queues a job. If no thread can be started, the job is done here.
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

/// What workers hand back to the loop.
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
