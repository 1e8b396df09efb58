import Synchronization
import Platform

/// Reads what the process writes to stderr, so that it never waits, and keeps the last lines.
///
/// Another thread passes the lines on: what takes them may be slow, or wait for the very call that wrote them.
final class LogReader: Sendable {
    private struct State {
        var last: [String] = []
        /// How much waits to be passed on.
        var waitingBytes = 0
        /// How many lines were not, as too much did.
        var leftOut = 0
    }

    private let descriptor: Int32
    private let onLine: @Sendable (String) -> Void
    private let state = Mutex(State())
    /// The lines to pass on, and nil behind them.
    private let waiting = Mailbox<String?>()

    /// - Parameter onLine: takes each line.
    init(_ descriptor: Int32, onLine: @escaping @Sendable (String) -> Void) {
        self.descriptor = descriptor
        self.onLine = onLine
    }

    /// The last lines so far.
    var lastLines: [String] { state.withLock { $0.last } }

    /// Reads to the end; on a thread of its own.
    func run() {
        var reader = LineReader(descriptor, lineBytesMax: Limits.logLineBytesMax)
        let rest = reader.forEachLine { take(String(decoding: $0, as: UTF8.self)) }
        if !rest.isEmpty { take(String(decoding: rest, as: UTF8.self)) }
        waiting.post(nil)
    }

    /// Passes the lines on, to the last; on a thread of its own.
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
            // One alone is passed on however long it is.
            let fits = state.waitingBytes == 0 || state.waitingBytes + line.utf8.count <= Limits.waitingLogBytesMax
            if fits { state.waitingBytes += line.utf8.count } else { state.leftOut += 1 }
            return fits
        }
        if isPassedOn { waiting.post(line) }
    }
}
