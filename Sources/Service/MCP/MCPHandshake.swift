internal import Synchronization

/// Whether the peer of a stream has sent `initialize`. The loop answers that request, and workers execute the calls of
/// tools that follow it, each with a service of its own.
package final class MCPHandshake: Sendable {
    private let initialized = Atomic(false)

    package init() {}

    /// Whether the peer has sent `initialize`.
    var hasInitialized: Bool { initialized.load(ordering: .acquiring) }

    /// The peer has sent `initialize`.
    func markInitialized() { initialized.store(true, ordering: .releasing) }
}
