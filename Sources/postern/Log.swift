import Accounts
import JSON
import Synchronization
import Platform

/// Lines for people, beside the replies.
enum StandardError {
    static func write(line: String) {
        write(line + "\n")
    }

    /// Writes a text as it is. Errors are ignored: there is nowhere else to report them.
    static func write(_ text: String) {
        var text = text
        _ = text.withUTF8 { WholeWrite.run(UnsafeRawBufferPointer($0), to: .standardError) }
    }

    /// Writes a line unless nobody has read those before it: a host that never looks must not bring the service to a
    /// halt. A pipe that is ready takes 4,096 bytes without blocking (POSIX, PIPE_BUF).
    static func writeIfReady(line: String) {
        guard Readiness.hasRoom(.standardError) else { return }
        write(line: line.utf8.count < 4_096 ? line : String(line.unicodeScalars.prefix(1_000)))
    }
}

/// What the program tells its operator: `time=2016-02-24T22:07:52.371513Z level=warning message="…"`, a line each, and
/// never a password, token, code or param. A message that repeats the one before is written once a minute: thousands of
/// requests a second may be refused for one reason, such as a full disk.
final class Log: Sendable {
    /// How much a line matters; a log leaves out what matters less than its own level.
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
