internal import Synchronization
internal import Platform

/// Runs slow work on one thread per usable processor, at a lower priority than the threads that execute requests.
///
/// If the system cannot start that many threads, it uses fewer. Without any, it runs the work on the calling thread.
final class WorkPool: Sendable {
    private struct Job: Sendable {
        let ticket: Ticket
        let work: SlowWork
    }

    private let jobs = Mailbox<Job>()
    private let finished = Collector<(ticket: Ticket, phase: (any RequestPhase)?)>()
    private let threadsMax: Int
    private let threads = Mutex(0)
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - threadsMax: the number of worker threads.
    ///   - startThread: starts a worker thread.
    ///   - wake: called after each piece of work, on the thread that did it: a worker, or the caller if there are none.
    init(
        threadsMax: Int = min(Thread.processorCount, Limits.workThreadsMax),
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void
    ) {
        self.threadsMax = threadsMax
        self.startThread = startThread
        self.wake = wake
    }

    /// Queues work under a ticket.
    func start(_ ticket: Ticket, _ work: @escaping SlowWork) {
        let job = Job(ticket: ticket, work: work)
        if hasThreads() { jobs.post(job) } else { run(job) }
    }

    /// Starts the missing threads. Returns whether at least one thread runs.
    ///
    /// Threads start with the first work, because most hosts sign no one in during their first milliseconds. Each call
    /// tries again to start threads that could not be started before.
    private func hasThreads() -> Bool {
        threads.withLock { count in
            while count < threadsMax, startThread({ self.run() }) { count += 1 }
            return count > 0
        }
    }

    /// The tickets and phases of the work that has finished since the last call.
    func takeFinished() -> [(ticket: Ticket, phase: (any RequestPhase)?)] { finished.takeAll() }

    private func run() {
        Thread.lowerPriority()
        while true {
            run(jobs.take())
        }
    }

    private func run(_ job: Job) {
        let phase = job.work()
        finished.add((job.ticket, phase))
        wake()
    }
}
