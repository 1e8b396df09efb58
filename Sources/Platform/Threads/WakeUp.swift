#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Ends a wait for input from another thread, or from a signal handler.
package struct WakeUp: Sendable {
    /// The end of a pipe that is readable while a wake-up is pending.
    package let descriptor: FileDescriptor
    private let sender: FileDescriptor

    /// Makes one; nil where no descriptor can be opened, as where RLIMIT_NOFILE is too low.
    package init?() {
        do throws(SystemError) {
            let pipe = try Pipe(blocks: false)
            (descriptor, sender) = (pipe.reader, pipe.writer)
        } catch {
            return nil
        }
    }

    /// Wakes; safe to call in a signal handler. Where the pipe is full a wake-up is pending already.
    package func send() {
        var byte: UInt8 = 0
        _ = write(sender.rawValue, &byte, 1)
    }

    /// Takes back all wake-ups so far.
    package func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor.rawValue, &bytes, bytes.count) > 0 {}
    }
}
