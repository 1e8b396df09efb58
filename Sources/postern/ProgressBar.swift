import Glibc
import Store
import Threads

/// Shows on a terminal how far long work has come, and shows nothing anywhere else.
///
///     checking the base [############                  ]  41 %
final class ProgressBar {
    private let isTerminal = isatty(2) == 1
    private var lastShown = 0
    private var isShown = false
    private static let width = 30

    /// Shows where the work stands, ten times a second at the most.
    func show(_ progress: Progress) {
        guard isTerminal else { return }
        let now = MonotonicClock.milliseconds
        guard now - lastShown >= 100 else { return }
        (lastShown, isShown) = (now, true)
        write("\r\u{1B}[K\(Self.text(of: progress))")
    }

    /// Takes the bar away.
    func end() {
        guard isShown else { return }
        isShown = false
        write("\r\u{1B}[K")
    }

    /// What the bar says of a state.
    static func text(of progress: Progress) -> String {
        guard let total = progress.total, total > 0 else { return "\(progress.phase): \(progress.done)" }
        let done = min(progress.done, total)
        let filled = done * width / total
        let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: width - filled)
        return "\(progress.phase) [\(bar)] \(done * 100 / total) %"
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
