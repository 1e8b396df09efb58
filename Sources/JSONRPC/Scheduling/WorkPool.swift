internal import Synchronization
internal import Platform

/// Does slow work on as many threads as there are processors to use, at a lower priority than the thread that answers.
///
/// It makes do with fewer threads where no more are to be had, and without any does the work in place.
final class WorkPool: Sendable {
    private struct Job: Sendable {
        let ticket: Int
        let work: SlowWork
    }

    private let jobs = Mailbox<Job>()
    private let finished = Mutex<[(ticket: Int, phase: (any RequestPhase)?)]>([])
    private let threadsMax: Int
    private let threads = Mutex(0)
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - threadsMax: how many threads it works on.
    ///   - startThread: gives it the threads that it works on.
    ///   - wake: called, mostly on a worker's thread, when work is finished.
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
    func start(_ ticket: Int, _ work: @escaping SlowWork) {
        let job = Job(ticket: ticket, work: work)
        if hasThreads() { jobs.post(job) } else { run(job) }
    }

    /// Whether there are threads, with those started that are missing. Most hosts never sign anyone in during their first
    /// milliseconds, so they come with the first work; and what could not be had then may be had later.
    private func hasThreads() -> Bool {
        threads.withLock { count in
            while count < threadsMax, startThread({ self.run() }) { count += 1 }
            return count > 0
        }
    }

    /// What the work that was finished since the last call gave.
    func takeFinished() -> [(ticket: Int, phase: (any RequestPhase)?)] {
        finished.withLock { finished in
            defer { finished = [] }
            return finished
        }
    }

    private func run() {
        Thread.lowerPriority()
        while true {
            run(jobs.take())
        }
    }

    private func run(_ job: Job) {
        let phase = job.work()
        finished.withLock { $0.append((job.ticket, phase)) }
        wake()
    }
}
