import Store
import Platform

/// Shows on a terminal how far long work has come, and shows nothing anywhere else.
///
///     checking the base [############                  ]  41 %
final class ProgressBar {
    private let isTerminal = FileDescriptor.standardError.isTerminal
    private var lastShown = 0
    private var isShown = false
    private static let width = 30

    /// Shows where the work stands, ten times a second at the most.
    func show(_ progress: ToolProgress) {
        guard isTerminal else { return }
        let now = MonotonicClock.milliseconds
        guard now - lastShown >= 100 else { return }
        (lastShown, isShown) = (now, true)
        StandardError.write("\r\u{1B}[K\(Self.text(of: progress))")
    }

    /// Takes the bar away.
    func end() {
        guard isShown else { return }
        isShown = false
        StandardError.write("\r\u{1B}[K")
    }

    /// What the bar says of a state.
    static func text(of progress: ToolProgress) -> String {
        guard let total = progress.total, total > 0 else { return "\(progress.phase): \(progress.done)" }
        let done = min(progress.done, total)
        let filled = done * width / total
        let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: width - filled)
        return "\(progress.phase) [\(bar)] \(done * 100 / total) %"
    }
}
