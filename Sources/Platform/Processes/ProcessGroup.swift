internal import CLibrary

/// A process group: its leader, and the processes that the leader starts.
package struct ProcessGroup: Hashable, Sendable {
    /// The id of the group, which is the process id of its leader.
    package let number: Int32

    /// The group with the given id.
    package init(number: Int32) {
        self.number = number
    }

    /// Sends a signal to all its processes.
    package func send(_ signal: Signal) {
        kill(-number, signal.number)
    }

    /// Whether it still has a process. A process that has ended counts until it is reaped.
    package var exists: Bool { kill(-number, 0) == 0 }
}
