/// Identifies a message while the executor or the work pool works on it.
typealias Ticket = Int

/// Executes units of work: runs their phases and commits their writes.
///
/// To execute a unit, a `RequestHandler` executes its request, which *calls* a method of the contract. A request has
/// one phase, and one more after each slow work. A phase *runs*, as a job of a thread does.
///
/// The units between two calls of `commit` form a *group*: usually those of one read. An inline executor commits a
/// group with one sync (group commit).
protocol Executor: AnyObject {
    /// Whether a unit is executed before `execute` returns, on the thread that calls it.
    var isInline: Bool { get }

    /// Whether it accepts no further unit until one is finished.
    var isFull: Bool { get }

    /// Whether a worker executes a unit, which then waits while the executor is full.
    func needsWorker(_ unit: UnitOfWork) -> Bool

    /// Runs the next phase of a unit, or starts it on a worker. If the unit is done on return, its reply is staged.
    func execute(_ unit: UnitOfWork, _ ticket: Ticket, replies: inout ReplyBuffer) -> Execution

    /// Runs the first phase of a request ahead of its turn, only to find the slow work that the request waits for. The
    /// writes and the result are discarded. At its turn the request continues with the phase that the slow work
    /// returned, or from the start.
    func lookAhead(_ unit: UnitOfWork, _ ticket: Ticket) -> Execution

    /// The executions that were under way and have ended since the last call.
    func takeFinished() -> [(ticket: Ticket, execution: FinishedExecution)]

    /// Ends a group: commits its units that are not committed yet, and releases the replies.
    func commit(_ replies: inout ReplyBuffer)

    /// Ends the executor: finishes the units that were handed over, stops its threads and ends their sessions.
    func finish()
}

/// The state of a unit of work after a call of the executor.
enum Execution {
    /// It was executed, and its reply is staged. After `lookAhead`: it waits for no slow work.
    case done
    /// It waits for slow work.
    case waits(SlowWork)
    /// A worker runs its phase. `takeFinished()` returns the outcome.
    case underWay
}

/// How a worker's execution ended.
enum FinishedExecution: Sendable {
    /// The unit is committed, or its commit failed and the reply is the error. The reply is empty if the message gets
    /// none.
    case done(reply: [UInt8])
    /// The request waits for slow work.
    case waits(SlowWork)
    /// The first phase was run ahead of its turn, and waits for no slow work.
    case lookedAhead
}
