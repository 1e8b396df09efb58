internal import Synchronization
internal import Platform

/// Writes replies to a descriptor without blocking the caller.
///
/// If nothing is queued and a pipe takes all bytes without blocking, they are written directly. Otherwise they are
/// queued, in order, for a thread. If no thread can be started, the write blocks the caller, because replies must not
/// be lost.
final class OutputWriter: Sendable {
    private let descriptor: FileDescriptor
    private let queue = Mailbox<[UInt8]>()
    /// The bytes that are queued and not written yet, and the bytes of all arrays that hold queued bytes.
    private let queued = Mutex((unwritten: 0, held: 0))
    private let failure = Mutex<StreamFault?>(nil)
    private let hasThread = Mutex(false)
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - startThread: starts the thread that writes.
    ///   - wake: called after each queued array, whether it was written or the write failed.
    init(
        descriptor: FileDescriptor,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void
    ) {
        self.descriptor = descriptor
        self.startThread = startThread
        self.wake = wake
    }

    /// Why writing failed, for example because the reader has closed its end; nil if no write has failed.
    var fault: StreamFault? { failure.withLock { $0 } }

    /// The queued bytes that are not written yet.
    var unwrittenBytes: Int { queued.withLock { $0.unwritten } }

    /// The memory of all queued arrays, including their bytes that are already written.
    var heldBytes: Int { queued.withLock { $0.held } }

    /// Writes bytes after all earlier ones.
    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if bytes.count <= Limits.pipeAtomicBytes, unwrittenBytes == 0, Readiness.hasRoom(descriptor) {
            writeAll(bytes)
        } else if ensureThread() {
            queued.withLock { $0 = ($0.unwritten + bytes.count, $0.held + bytes.count) }
            queue.post(bytes)
        } else if fault == nil {
            // The thread never started, so the queue is empty and the order is kept.
            writeAll(bytes)
        }
    }

    /// Starts the thread if it does not run yet. Returns false if it cannot be started; the next call tries again.
    private func ensureThread() -> Bool {
        hasThread.withLock { hasThread in
            if !hasThread { hasThread = startThread { self.run() } }
            return hasThread
        }
    }

    private func run() {
        while true {
            // `writeNext` has freed a long reply when it returns, so its memory can go back to the system.
            if writeNext() > Limits.outputBytesKept { ProcessMemory.releaseFree() }
            wake()
        }
    }

    /// Writes the first queued array and returns its length. Waits if the queue is empty.
    private func writeNext() -> Int {
        let bytes = queue.take()
        if fault == nil { writeAll(bytes) { count in queued.withLock { $0.unwritten -= count } } }
        // After a fault all queued bytes are lost, so none are counted.
        let isLost = fault != nil
        queued.withLock { $0 = isLost ? (0, 0) : ($0.unwritten, $0.held - bytes.count) }
        return bytes.count
    }

    private func writeAll(_ bytes: [UInt8], progress: (Int) -> Void = { _ in }) {
        let error = bytes.withUnsafeBytes { bytes in
            WholeWrite.run(
                bytes,
                to: descriptor,
                // A blocking write returns after its whole piece is written. Small pieces make progress visible.
                pieceBytesMax: Limits.writeBytes,
                whenBlocked: {
                    // Another process that shares the descriptor has made it non-blocking.
                    Readiness.waitForRoom(descriptor)
                    return true
                },
                progress: progress
            )
        }
        if let error { failure.withLock { $0 = StreamFault(call: "write", on: descriptor, error) } }
    }
}
