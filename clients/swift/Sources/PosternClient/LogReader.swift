import Synchronization
import Platform

/// Reads the stderr of the process, so that the pipe never fills, and keeps the last lines.
///
/// Another thread passes the lines on: `onLine` may be slow, or wait for the call during which they were written.
final class LogReader: Sendable {
    private struct State {
        var last: [String] = []
        /// Bytes of the lines that wait to be passed on.
        var waitingBytes = 0
        /// Lines that were dropped because too many bytes wait.
        var leftOut = 0
    }

    private let descriptor: FileDescriptor
    private let onLine: @Sendable (String) -> Void
    private let state = Mutex(State())
    /// The lines to pass on, and nil after the last line.
    private let waiting = Mailbox<String?>()

    /// - Parameter onLine: is called with each line.
    init(_ descriptor: FileDescriptor, onLine: @escaping @Sendable (String) -> Void) {
        self.descriptor = descriptor
        self.onLine = onLine
    }

    /// The last lines so far.
    var lastLines: [String] { state.withLock { $0.last } }

    /// Reads to the end of stderr. Needs its own thread.
    func run() {
        var reader = LineReader(descriptor, lineBytesMax: Limits.logLineBytesMax)
        let rest = reader.forEachLine { take(String(decoding: $0, as: UTF8.self)) }
        if !rest.isEmpty { take(String(decoding: rest, as: UTF8.self)) }
        waiting.post(nil)
    }

    /// Passes all lines on. Needs its own thread.
    func passOn() {
        while let line = waiting.take() {
            let leftOut = state.withLock { state in
                state.waitingBytes -= line.utf8.count
                defer { state.leftOut = 0 }
                return state.leftOut
            }
            onLine(line)
            if leftOut > 0 { onLine("postern: \(leftOut) lines of its stderr are left out, as the log is slow") }
        }
    }

    private func take(_ line: String) {
        let isPassedOn = state.withLock { state in
            if state.last.count == Limits.logLinesMax { state.last.removeFirst() }
            state.last.append(line)
            // A line is always passed on if no other line waits.
            let fits = state.waitingBytes == 0 || state.waitingBytes + line.utf8.count <= Limits.waitingLogBytesMax
            if fits { state.waitingBytes += line.utf8.count } else { state.leftOut += 1 }
            return fits
        }
        if isPassedOn { waiting.post(line) }
    }
}
