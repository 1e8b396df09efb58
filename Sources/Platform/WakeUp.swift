internal import Glibc

/// Ends a wait for input. Another thread or a signal handler can call it.
package struct WakeUp: Sendable {
    /// The reading end of a pipe. It is readable while a wake-up is pending.
    package let descriptor: Int32
    private let sender: Int32

    /// Creates the pipe; nil if no descriptor can be opened, for example because RLIMIT_NOFILE is too low.
    package init?() {
        guard let pipe = Pipe(blocks: false) else { return nil }
        (descriptor, sender) = (pipe.reader, pipe.writer)
    }

    /// Ends the wait. It is async-signal-safe. If the pipe is full, a wake-up is already pending.
    package func send() {
        var byte: UInt8 = 0
        _ = write(sender, &byte, 1)
    }

    /// Clears all pending wake-ups.
    package func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
