/// Bounds of the client, each with its unit in its name; `messageBytesMax` comes from the contract.
enum Limits {
    /// Bytes of one read.
    static let readBytes = 64 << 10
    /// The largest buffer that is kept for reuse.
    static let keptBytes = 1 << 20
    /// How long opening waits for the first reply.
    static let readinessSeconds = 60
    /// The longest line of stderr; a longer line is passed on in pieces.
    static let logLineBytesMax = 1 << 20
    /// Lines of stderr that are kept for `ProcessEnded`.
    static let logLinesMax = 20
    /// Bytes of stderr that are buffered for a slow log.
    static let waitingLogBytesMax = 16 << 20
    /// How long the client waits for the rest of the output after the process has ended: children of the process may
    /// hold its pipes open.
    static let restSeconds = 1
    /// Mails that are delivered at the same time. The process opens as many requests, and may open others while a
    /// handler hangs.
    static let deliveriesMax = 4
    /// Bytes of the description of an error that are sent to the process.
    static let problemBytesMax = 2_000
    /// Events that wait before the client reads no further output, unless a call waits for its reply. The process then
    /// holds the other events back, and nothing is lost.
    static let eventsHeld = 1_000
    /// Events that wait before the others, which come between replies, are dropped.
    static let eventsMax = 20_000
    /// How long after SIGTERM the process gets SIGKILL.
    static let killSeconds = 5
}
