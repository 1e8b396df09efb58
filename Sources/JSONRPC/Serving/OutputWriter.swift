internal import Synchronization
internal import Platform

/// Writes to a descriptor that may block, so that nobody else has to.
///
/// What a pipe takes at once is written at once; the rest is left to a thread of its own, in order. Where there is no
/// thread to be had it does block, as answers must not be lost.
final class OutputWriter: Sendable {
    private let descriptor: FileDescriptor
    private let queue = Mailbox<[UInt8]>()
    /// How many bytes are to be written yet, and how many the arrays that they are in have.
    private let queued = Mutex((unwritten: 0, held: 0))
    private let failure = Mutex<StreamFault?>(nil)
    private let hasThread = Mutex(false)
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - startThread: gives it the thread that it writes on.
    ///   - wake: called when the thread has written something, or found that it cannot.
    init(
        descriptor: FileDescriptor,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void
    ) {
        self.descriptor = descriptor
        self.startThread = startThread
        self.wake = wake
    }

    /// Why nothing can be written any more, as where the reader is gone; nil where it can.
    var fault: StreamFault? { failure.withLock { $0 } }

    /// How much waits to be written.
    var unwrittenBytes: Int { queued.withLock { $0.unwritten } }

    /// How much memory is taken by what waits to be written, with what is written already of the same answers.
    var heldBytes: Int { queued.withLock { $0.held } }

    /// Writes bytes behind all that came before.
    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if bytes.count <= Limits.pipeAtomicBytes, unwrittenBytes == 0, Readiness.hasRoom(descriptor) {
            writeAll(bytes)
        } else if ensureThread() {
            queued.withLock { $0 = ($0.unwritten + bytes.count, $0.held + bytes.count) }
            queue.post(bytes)
        } else if fault == nil {
            // Nothing was ever left to a thread, so nothing comes before its turn.
            writeAll(bytes)
        }
    }

    /// Whether there is a thread to leave writing to, started now where it was not needed, or not to be had, before.
    private func ensureThread() -> Bool {
        hasThread.withLock { hasThread in
            if !hasThread { hasThread = startThread { self.run() } }
            return hasThread
        }
    }

    private func run() {
        while true {
            // A long answer is let go of before the free memory is given back.
            if writeNext() > Limits.outputBytesKept { ProcessMemory.releaseFree() }
            wake()
        }
    }

    /// Writes what waits first, and gives how much it was.
    private func writeNext() -> Int {
        let bytes = queue.take()
        if fault == nil { writeAll(bytes) { count in queued.withLock { $0.unwritten -= count } } }
        // Behind a fault what comes is lost, and nothing waits.
        let isLost = fault != nil
        queued.withLock { $0 = isLost ? (0, 0) : ($0.unwritten, $0.held - bytes.count) }
        return bytes.count
    }

    private func writeAll(_ bytes: [UInt8], progress: (Int) -> Void = { _ in }) {
        let error = bytes.withUnsafeBytes { bytes in
            WholeWrite.run(
                bytes,
                to: descriptor,
                // A blocking call comes back when all is written, so it gets little enough for progress to show.
                pieceBytesMax: Limits.writeBytes,
                whenBlocked: {
                    // The descriptor was made non-blocking by another process that holds it.
                    Readiness.waitForRoom(descriptor)
                    return true
                },
                progress: progress
            )
        }
        if let error { failure.withLock { $0 = StreamFault(call: "write", on: descriptor, error) } }
    }
}
