internal import Synchronization

/// Whether the peer of a stream has sent `initialize`. The loop answers that request, and workers execute the calls of
/// tools that follow it, each with a service of its own.
package final class MCPHandshake: Sendable {
    private let done = Atomic(false)

    package init() {}

    /// Whether the peer has sent `initialize`.
    var isDone: Bool { done.load(ordering: .acquiring) }

    /// Notes that it has.
    func finish() { done.store(true, ordering: .releasing) }
}
