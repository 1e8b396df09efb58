internal import Synchronization

/// A latch that threads wait for until another thread opens it. It stays open.
package final class Latch: Sendable {
    private let isOpen = Atomic(false)
    /// Has one element once the latch is open. A waiting thread takes it, and posts it for the next.
    private let token = Mailbox<Void>()

    /// A closed latch.
    package init() {}

    /// Opens the latch and wakes all waiting threads.
    package func open() {
        if !isOpen.exchange(true, ordering: .acquiringAndReleasing) { token.post(()) }
    }

    /// Waits up to `milliseconds` until the latch is open; returns whether it is.
    package func wait(milliseconds: Int) -> Bool {
        if token.take(milliseconds: milliseconds) != nil { token.post(()) }
        // At the timeout, another waiting thread may have the element.
        return isOpen.load(ordering: .acquiring)
    }
}
