import Synchronization

/// Reads what the process writes to stderr, so that it never waits, and keeps the last lines.
final class LogReader: Sendable {
    private let descriptor: Int32
    private let onLine: @Sendable (String) -> Void
    private let lines = Mutex<[String]>([])

    /// - Parameter onLine: takes each line.
    init(_ descriptor: Int32, onLine: @escaping @Sendable (String) -> Void) {
        self.descriptor = descriptor
        self.onLine = onLine
    }

    /// The last lines so far.
    var lastLines: [String] { lines.withLock { $0 } }

    /// Reads to the end; on a thread of its own.
    func run() {
        var reader = LineReader(descriptor)
        let rest = reader.forEachLine { take(String(decoding: $0, as: UTF8.self)) }
        if !rest.isEmpty { take(String(decoding: rest, as: UTF8.self)) }
    }

    private func take(_ line: String) {
        lines.withLock { lines in
            if lines.count == Limits.logLinesMax { lines.removeFirst() }
            lines.append(line)
        }
        onLine(line)
    }
}
