import Synchronization
import Platform

/// Writes requests to the process, each of them whole, without blocking a task.
///
/// `send` writes as much of a line as fits into the pipe. A thread writes the rest, and later lines queue behind it.
final class RequestWriter: Sendable {
    private struct State {
        /// The bytes that are not written yet, after the first `written` bytes.
        var waiting: [UInt8] = []
        var written = 0
        /// Whether new lines are dropped, because `finish` or `abandon` was called.
        var isEnding = false
        var isClosed = false
    }

    private let descriptor: FileDescriptor
    private let state = Mutex(State())
    /// Wakes the thread when bytes wait, or at the end.
    private let orders = Mailbox<Void>()

    /// - Parameter descriptor: the write end of a pipe, which does not block, and which this object closes.
    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Writes a line, or queues it for the thread.
    func send(_ line: [UInt8]) {
        state.withLock { state in
            guard !state.isEnding else { return }
            let isFirst = state.waiting.isEmpty
            state.waiting += line
            guard isFirst else { return }
            writeOut(&state)
            if !state.waiting.isEmpty { orders.post(()) }
        }
    }

    /// Ends the input once all bytes are written.
    func finish() {
        end(dropping: false)
    }

    /// Ends the input at once.
    func abandon() {
        end(dropping: true)
    }

    /// Writes queued bytes until the end. Needs its own thread.
    func run() {
        while true {
            orders.take()
            while state.withLock({ !$0.waiting.isEmpty }) {
                // The timeout is for `abandon`: if a child of the process holds its input open, the wait would not end.
                _ = Readiness.waitForRoom(descriptor, orInput: nil, milliseconds: 1_000 * Limits.restSeconds)
                state.withLock { writeOut(&$0) }
            }
            if state.withLock({ $0.isClosed }) { return }
        }
    }

    /// - Parameter dropping: whether queued bytes are dropped.
    private func end(dropping: Bool) {
        state.withLock { state in
            state.isEnding = true
            if dropping { (state.waiting, state.written) = ([], 0) }
            if state.waiting.isEmpty { close(&state) }
        }
        orders.post(())
    }

    /// Writes as much as fits into the pipe. If the pipe has no reader, the rest is dropped: its calls fail when the
    /// process ends.
    private func writeOut(_ state: inout State) {
        var written = state.written
        let error = state.waiting.withUnsafeBytes { bytes in
            WholeWrite.runWithoutSIGPIPE(
                UnsafeRawBufferPointer(rebasing: bytes[written...]),
                to: descriptor,
                progress: { written += $0 }
            )
        }
        state.written = written
        if error == .wouldBlock { return }
        state.waiting.removeAll(keepingCapacity: state.waiting.count <= Limits.keptBytes)
        state.written = 0
        if state.isEnding { close(&state) }
    }

    private func close(_ state: inout State) {
        guard !state.isClosed else { return }
        state.isClosed = true
        descriptor.close()
    }
}
