internal import Platform

/// A turn that one thread of the process has at a time.
final class Turn: Sendable {
    /// Has one element while no thread has the turn.
    private let free = Mailbox<Void>()

    init() { free.post(()) }

    /// Takes the turn; waits up to `milliseconds` while another thread has it. Returns whether the caller has it now.
    func take(milliseconds: Int) -> Bool { free.take(milliseconds: milliseconds) != nil }

    /// Lets the next thread have the turn.
    func pass() { free.post(()) }
}
