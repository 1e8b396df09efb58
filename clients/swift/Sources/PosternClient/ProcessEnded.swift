/// The process ended before the client was closed. If the call was in flight, the outcome is unknown.
public struct ProcessEnded: Error, Equatable, Sendable {
    /// How a process ends.
    public enum Cause: Equatable, Sendable {
        /// The process exited with this code.
        case exit(code: Int32)
        /// This signal ended the process.
        case signal(Int32)
        /// Other code of the host reaped the process, or the host ignores SIGCHLD.
        case unknown
    }

    /// How the process ended.
    public let cause: Cause
    /// The last lines that the process wrote to stderr, at most 20.
    public let lastLogLines: [String]

    /// Creates the error from a cause and the last lines of stderr.
    public init(cause: Cause, lastLogLines: [String]) {
        self.cause = cause
        self.lastLogLines = lastLogLines
    }
}

extension ProcessEnded: CustomStringConvertible {
    /// How the process ended, what that means for calls in flight, and the last lines of stderr.
    public var description: String {
        let how =
            switch cause {
            case .exit(let code): "Postern has ended with exit code \(code)"
            case .signal(let number): "Signal \(number) has ended Postern"
            case .unknown: "Postern has ended"
            }
        let lines = lastLogLines.isEmpty ? "It wrote nothing to stderr." : "Its last lines on stderr:"
        return ([how + "; if the call was in flight, the outcome is unknown. " + lines] + lastLogLines)
            .joined(separator: "\n")
    }
}
