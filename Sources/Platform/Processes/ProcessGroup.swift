#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The processes of a group: the one that leads it, and those that it has started.
package struct ProcessGroup: Hashable, Sendable {
    /// The number of the group, which is that of the process that leads it.
    package let number: Int32

    /// The group with a number.
    package init(number: Int32) {
        self.number = number
    }

    /// Sends a signal to all of its processes.
    package func send(_ signal: Signal) {
        kill(-number, signal.number)
    }

    /// Whether it has a process that has not been reaped.
    package var exists: Bool { kill(-number, 0) == 0 }
}
