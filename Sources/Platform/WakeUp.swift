internal import Glibc

/// Ends a wait for input from another thread, or from a signal handler.
package struct WakeUp: Sendable {
    /// The end of a pipe that is readable while a wake-up is pending.
    package let descriptor: Int32
    private let sender: Int32

    /// Makes one; nil where no descriptor can be opened, as where RLIMIT_NOFILE is too low.
    package init?() {
        guard let pipe = Pipe(blocks: false) else { return nil }
        (descriptor, sender) = (pipe.reader, pipe.writer)
    }

    /// Wakes; safe to call in a signal handler. Where the pipe is full a wake-up is pending already.
    package func send() {
        var byte: UInt8 = 0
        _ = write(sender, &byte, 1)
    }

    /// Takes back all wake-ups so far.
    package func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
