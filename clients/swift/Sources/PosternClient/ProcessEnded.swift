/// The process has ended while it was needed. Whether the calls in flight took effect is not known.
public struct ProcessEnded: Error, Equatable, Sendable {
    /// How a process ends.
    public enum Cause: Equatable, Sendable {
        /// It exited, with this code.
        case exit(code: Int32)
        /// This signal ended it.
        case signal(Int32)
        /// Somebody else took note of its end.
        case unknown
    }

    /// How it ended.
    public let cause: Cause
    /// The last lines that it wrote to stderr, twenty at the most.
    public let lastLogLines: [String]

    /// An end of that cause, with the last lines of stderr.
    public init(cause: Cause, lastLogLines: [String]) {
        self.cause = cause
        self.lastLogLines = lastLogLines
    }
}

extension ProcessEnded: CustomStringConvertible {
    /// How it ended, what that means, and its last lines on stderr.
    public var description: String {
        let how =
            switch cause {
            case .exit(let code): "Postern has ended with exit code \(code)"
            case .signal(let number): "Signal \(number) has ended Postern"
            case .unknown: "Postern has ended"
            }
        let lines = lastLogLines.isEmpty ? "It wrote nothing to stderr." : "Its last lines on stderr:"
        return ([how + "; whether the calls in flight took effect is not known. " + lines] + lastLogLines)
            .joined(separator: "\n")
    }
}
