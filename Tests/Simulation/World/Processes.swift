import Platform

/// An open file of a process.
final class OpenFile {
    let node: Node
    let process: SimulatedProcess
    let writes: Bool
    /// How many of the file's writeback errors this open file has reported, or need not report.
    var errorsSeen: Int

    init(node: Node, process: SimulatedProcess, writes: Bool) {
        (self.node, self.process, self.writes) = (node, process, writes)
        // An error that no process was told of is reported to a process that opens the file later.
        errorsSeen = node.isErrorTold ? node.writebackErrors : node.writebackErrors - 1
    }
}

/// A process of the machine.
///
/// Safe to send: only the thread whose turn it is uses it.
final class SimulatedProcess: @unchecked Sendable {
    let number: Int
    /// Whether it was killed. Its threads then run to their ends; none of their system calls has an effect.
    var isDead = false
    /// Whether it has ended on its own.
    var hasEnded = false
    /// Until when it is stopped, by a signal.
    var stoppedUntil = 0
    /// Whether a call of the current operation has failed after which its outcome is unknown.
    var hasFailedToUndo = false
    /// How many times it has counted a sync since it last woke those that wait for one.
    var wakesOwed = 0

    init(number: Int) {
        self.number = number
    }
}

/// A thread of a process. It is a thread of the system that waits for its turn.
///
/// Safe to send: only the thread whose turn it is uses it.
final class SimulatedThread: @unchecked Sendable {
    let process: SimulatedProcess
    /// Until when it sleeps or waits.
    var wakeTime = 0
    /// The file for whose shared words it waits.
    var waitsFor: Node?
    private let turn = Mailbox<Void>()
    private var body: (@Sendable () -> Void)?

    init(of process: SimulatedProcess, _ body: @escaping @Sendable () -> Void) {
        (self.process, self.body) = (process, body)
    }

    /// Runs the thread's body, and frees what it holds, such as open files, before the turn ends.
    func run() {
        body?()
        body = nil
    }

    func giveTurn() { turn.post(()) }

    func takeTurn() { turn.take() }

    var earliestTurn: Int { process.isDead ? 0 : max(wakeTime, process.stoppedUntil) }

    func isReady(at time: Int) -> Bool { earliestTurn <= time }
}
