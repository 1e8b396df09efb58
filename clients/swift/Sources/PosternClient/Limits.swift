/// Bounds of the client, each with its unit in its name; `messageBytesMax` is the contract's.
enum Limits {
    /// Bytes that are read at once.
    static let readBytes = 64 << 10
    /// Bytes of a buffer that is kept for what comes next.
    static let keptBytes = 1 << 20
    /// How long opening waits for the first reply.
    static let readinessSeconds = 60
    /// Bytes of a line of stderr that are kept until its line feed comes; a longer line is handed on in pieces.
    static let logLineBytesMax = 1 << 20
    /// Lines of stderr that are kept for the error when the process ends.
    static let logLinesMax = 20
    /// Bytes of stderr that may wait for a log that is slow.
    static let waitingLogBytesMax = 16 << 20
    /// How long the rest of what the process wrote is waited for once it has ended: where it has children of its own,
    /// they may hold its pipes open.
    static let restSeconds = 1
    /// How long after SIGTERM the process gets SIGKILL.
    static let killSeconds = 5
}
