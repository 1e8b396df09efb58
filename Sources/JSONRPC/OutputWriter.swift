internal import Glibc
internal import Synchronization
internal import Threads

/// Writes to a descriptor that may block, so that nobody else has to.
///
/// What a pipe takes at once is written at once; the rest is left to a thread of its own, in order.
final class OutputWriter: Sendable {
    private let descriptor: Int32
    private let queue = Mailbox<[UInt8]>()
    private let unwritten = Mutex(0)
    private let isBroken = Mutex(false)
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called when the thread has written something, or found that nobody reads any more.
    init(descriptor: Int32, wake: @escaping @Sendable () -> Void) {
        self.descriptor = descriptor
        self.wake = wake
        Thread.start { self.run() }
    }

    /// Whether the reader is gone.
    var hasNoReader: Bool { isBroken.withLock { $0 } }

    /// How much waits to be written.
    var unwrittenBytes: Int { unwritten.withLock { $0 } }

    /// Writes bytes behind all that came before. It never blocks.
    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if bytes.count <= Limits.pipeAtomicBytes, unwrittenBytes == 0, isReady {
            writeAll(bytes)
        } else {
            unwritten.withLock { $0 += bytes.count }
            queue.post(bytes)
        }
    }

    private var isReady: Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLOUT) != 0
    }

    private func run() {
        while true {
            let bytes = queue.take()
            if !hasNoReader { writeAll(bytes) }
            unwritten.withLock { $0 -= bytes.count }
            wake()
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // The descriptor was made non-blocking by whoever else holds it.
                    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&state, 1, -1)
                } else if errno != EINTR {
                    isBroken.withLock { $0 = true }
                    return
                }
            }
        }
    }
}
