import Accounts
import JSON
import Synchronization
import Platform

/// Writes to stderr, which is for people; replies go to stdout.
enum StandardError {
    static func write(line: String) {
        write(line + "\n")
    }

    /// Writes a text unchanged. It ignores errors, because there is no other place to report them.
    static func write(_ text: String) {
        var text = text
        _ = text.withUTF8 { WholeWrite.run(UnsafeRawBufferPointer($0), to: .standardError) }
    }

    /// Writes a line, or drops it if the pipe is full: a host that does not read stderr must not block the service. A
    /// pipe that is ready takes 4,096 bytes without blocking (POSIX, PIPE_BUF).
    static func writeIfReady(line: String) {
        guard Readiness.hasRoom(.standardError) else { return }
        write(line: line.utf8.count < 4_096 ? line : String(line.unicodeScalars.prefix(1_000)))
    }
}

/// The log on stderr, one line per message: `time=2016-02-24T22:07:52.371513Z level=warning message="…"`.
///
/// A message never contains a password, token, code or param. A message that repeats the previous one is written once a
/// minute: thousands of requests a second may fail for one reason, such as a full disk.
final class Log: Sendable {
    /// The severity of a message. A log drops messages that are less severe than its own level.
    enum Level: String, CaseIterable {
        case error, warning, info
    }

    let level: Level

    private struct LastMessage {
        var text = ""
        var milliseconds = 0
    }

    private let last = Mutex(LastMessage())
    private static let repetitionMilliseconds = 60_000

    init(level: Level) {
        self.level = level
    }

    func write(_ level: Level, _ message: String) {
        guard Level.allCases.firstIndex(of: level) ?? 0 <= Level.allCases.firstIndex(of: self.level) ?? 0 else {
            return
        }
        guard isNew(message, at: MonotonicClock.milliseconds) else { return }
        let quoted = JSONValue.string(message).text
        StandardError.writeIfReady(line: "time=\(SystemTime().now) level=\(level.rawValue) message=\(quoted)")
    }

    private func isNew(_ message: String, at milliseconds: Int) -> Bool {
        last.withLock { last in
            if message == last.text, milliseconds - last.milliseconds < Self.repetitionMilliseconds { return false }
            last = LastMessage(text: message, milliseconds: milliseconds)
            return true
        }
    }
}
