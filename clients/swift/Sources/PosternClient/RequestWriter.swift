import Glibc
import Synchronization
import Platform

/// Writes requests to the process, whole and one after another, and lets no task wait.
///
/// A line goes out at once as far as the pipe has room. What it has no room for, a thread writes, and lines that come
/// meanwhile stand behind it.
final class RequestWriter: Sendable {
    private struct State {
        /// What the pipe had no room for, behind the first `written` bytes, which are out.
        var waiting: [UInt8] = []
        var written = 0
        /// Whether there is more to come.
        var isEnding = false
        var isClosed = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    /// Tells the thread that something waits, or that the end has come.
    private let orders = Mailbox<Void>()

    /// - Parameter descriptor: a pipe's end, which is closed here.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    /// Writes a line, or has it written.
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

    /// Ends the input once all is written.
    func finish() {
        end(dropping: false)
    }

    /// Ends the input at once.
    func abandon() {
        end(dropping: true)
    }

    /// Writes what waits, until the end; on a thread of its own.
    func run() {
        while true {
            orders.take()
            while state.withLock({ !$0.waiting.isEmpty }) {
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                // Now and then it looks whether there still is something to write: where the process has left a child
                // that holds its input, nothing else would end this wait.
                _ = poll(&room, 1, Int32(1_000 * Limits.restSeconds))
                state.withLock { writeOut(&$0) }
            }
            if state.withLock({ $0.isClosed }) { return }
        }
    }

    /// - Parameter dropping: whether what waits is not written any more.
    private func end(dropping: Bool) {
        state.withLock { state in
            state.isEnding = true
            if dropping { (state.waiting, state.written) = ([], 0) }
            if state.waiting.isEmpty { close(&state) }
        }
        orders.post(())
    }

    /// Writes as much as the pipe takes. Where nobody reads any more the rest is dropped: its calls end with the
    /// process.
    private func writeOut(_ state: inout State) {
        while state.written < state.waiting.count {
            let result = state.waiting.withUnsafeBytes { bytes in
                writeQuietly(UnsafeRawBufferPointer(rebasing: bytes[state.written...]), to: descriptor)
            }
            switch result {
            case .success(let count): state.written += count
            case .failure(let error) where error.code == EINTR: continue
            case .failure(let error) where error.code == EAGAIN: return
            case .failure: state.written = state.waiting.count
            }
        }
        state.waiting.removeAll(keepingCapacity: state.waiting.count <= Limits.keptBytes)
        state.written = 0
        if state.isEnding { close(&state) }
    }

    private func close(_ state: inout State) {
        guard !state.isClosed else { return }
        state.isClosed = true
        Glibc.close(descriptor)
    }
}
