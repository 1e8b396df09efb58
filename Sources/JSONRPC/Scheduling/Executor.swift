/// Names a message to the executor and the work pool while something for it is under way.
typealias Ticket = Int

/// Carries out units of work: runs their phases and commits what these did.
protocol Executor: AnyObject {
    /// Whether no further unit can be handed over before one is finished.
    var isFull: Bool { get }

    /// Carries out a unit, or its next phase, or has that begun. The reply is staged once the unit is done.
    func carryOut(_ unit: UnitOfWork, _ ticket: Ticket, replies: inout ReplyBuffer) -> Execution

    /// Runs the first phase of a request ahead of its turn, only to learn the slow work that it waits for. Everything else
    /// is discarded: at its turn the request is carried out from the start.
    func lookAhead(_ unit: UnitOfWork, _ ticket: Ticket) -> Execution

    /// The executions that were under way and have ended since the last call.
    func takeFinished() -> [(ticket: Ticket, execution: FinishedExecution)]

    /// Ends a turn: commits the units that were carried out and are not committed, and lets their replies leave.
    func commit(_ replies: inout ReplyBuffer)
}

/// How far a unit of work has come.
enum Execution {
    /// It was carried out, and its reply is staged.
    case done
    /// It waits for slow work.
    case waits(SlowWork)
    /// A worker carries it out; `takeFinished()` tells the end.
    case underWay
}

/// How a worker's execution ended.
enum FinishedExecution: Sendable {
    /// The unit is committed: its reply, empty for a message that gets none.
    case done(reply: [UInt8])
    /// The request waits for slow work.
    case waits(SlowWork)
    /// The first phase, run ahead of its turn, waits for nothing.
    case lookedAhead
}
