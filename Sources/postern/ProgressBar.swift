import DirectoryStore
import Store
import Platform

/// Shows the progress of long work on stderr if it is a terminal.
///
///     checking entries [############                  ]  41 %
final class ProgressBar {
    private let isTerminal = FileDescriptor.standardError.isTerminal
    private var lastShown = 0
    private var isShown = false
    private static let width = 30

    /// Shows the progress, at most ten times a second.
    func show(_ progress: ToolProgress) {
        guard isTerminal else { return }
        let now = MonotonicClock.milliseconds
        guard now - lastShown >= 100 else { return }
        (lastShown, isShown) = (now, true)
        StandardError.write("\r\u{1B}[K\(Self.text(of: progress))")
    }

    /// Removes the bar from the terminal.
    func end() {
        guard isShown else { return }
        isShown = false
        StandardError.write("\r\u{1B}[K")
    }

    /// The text of the bar.
    static func text(of progress: ToolProgress) -> String {
        guard let total = progress.total, total > 0 else { return "\(progress.phase): \(progress.done)" }
        let done = min(progress.done, total)
        let filled = done * width / total
        let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: width - filled)
        return "\(progress.phase) [\(bar)] \(done * 100 / total) %"
    }
}
