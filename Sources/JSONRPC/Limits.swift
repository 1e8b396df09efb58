/// The limits of the protocol layer, each with its unit in its name. A request over a limit gets a clear error, and the
/// next one is served. The limits that the contract states are generated from schema/limits.json, with the contract's
/// names: `answerBytesMax` limits a reply.
package enum Limits {
    /// Bytes of one read.
    package static let readBytes = 1 << 20
    /// Bytes that are kept for waiting requests: the whole chunks that contain them, and copies of their ids.
    package static let waitingBytesMax = 64 << 20
    /// Refused messages that may wait for the turn of their reply. At this number reading stops until some have
    /// their replies.
    package static let waitingRefusalsMax = 100_000
    /// Bytes of the ids of these messages. At this size reading stops as well.
    package static let waitingRefusalBytesMax = 16 << 20
    /// Memory of replies that the host has not read. Above it reading stops until the host reads.
    package static let unreadBytesMax = answerBytesMax
    /// Bytes of replies at which a group ends and its replies are sent.
    package static let groupReplyBytes = 1 << 20
    /// Unwritten bytes, replies included, above which the server sends no further message of its own.
    package static let hostMessagesUnwrittenBytesMax = 256 << 10
    /// Bytes of one write; small, so that progress is visible.
    static let writeBytes = 64 << 10
    /// Memory for replies that is kept for the next group. A batch's reply may have taken a few times as much.
    static let outputBytesKept = 4 << 20
    /// Threads for slow work, regardless of the number of processors: each may need the 19 MiB of a password hash.
    package static let workThreadsMax = 32
    /// Slow work that may be under way when work ahead of its turn is started.
    package static let workAheadMax = 64
    /// POSIX's PIPE_BUF on Linux: a pipe that is ready takes this many bytes without blocking.
    package static let pipeAtomicBytes = 4_096
}
