internal import Glibc
internal import Synchronization
internal import Threads

/// Does slow work on as many threads as there are processors, at a lower priority than the thread that answers.
final class WorkPool: Sendable {
    private struct Job: Sendable {
        let ticket: Int
        let work: SlowWork
    }

    private let jobs = Mailbox<Job>()
    private let finished = Mutex<[(ticket: Int, outcome: any Sendable)]>([])
    private let hasStarted = Mutex(false)
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called on a worker's thread when an outcome is there to be taken.
    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// Queues work under a ticket.
    func start(_ ticket: Int, _ work: @escaping SlowWork) {
        // Most hosts never sign anyone in during their first milliseconds; threads come with the first work.
        let isFirst = hasStarted.withLock { started in
            defer { started = true }
            return !started
        }
        if isFirst {
            for _ in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) { Thread.start { self.run() } }
        }
        jobs.post(Job(ticket: ticket, work: work))
    }

    /// The outcomes that came in since the last call.
    func takeFinished() -> [(ticket: Int, outcome: any Sendable)] {
        finished.withLock { finished in
            defer { finished = [] }
            return finished
        }
    }

    private func run() {
        // On Linux a thread has a nice value of its own, and 0 names the calling thread.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        while true {
            let job = jobs.take()
            let outcome = job.work()
            finished.withLock { $0.append((job.ticket, outcome)) }
            wake()
        }
    }
}
