internal import CLibrary

/// Ends a wait for input. Another thread or a signal handler can call it.
package struct WakeUp: Sendable {
    /// The reading end of a pipe. It is readable while a wake-up is pending.
    package let descriptor: FileDescriptor
    private let sender: FileDescriptor

    /// Creates the pipe; nil if no descriptor can be opened, for example because RLIMIT_NOFILE is too low.
    package init?() {
        do throws(SystemError) {
            let pipe = try Pipe(blocks: false)
            (descriptor, sender) = (pipe.reader, pipe.writer)
        } catch {
            return nil
        }
    }

    /// Ends the wait. It is async-signal-safe. If the pipe is full, a wake-up is already pending.
    package func send() {
        var byte: UInt8 = 0
        _ = write(sender.rawValue, &byte, 1)
    }

    /// Clears all pending wake-ups.
    package func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor.rawValue, &bytes, bytes.count) > 0 {}
    }
}
