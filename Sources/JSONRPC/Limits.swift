/// The bounds of what the wire takes, each with its unit in its name. Past one the request gets a clear error and the
/// next is served. Those that the contract states are generated from schema/limits.json.
package enum Limits {
    /// Bytes that are read at once.
    package static let readBytes = 1 << 20
    /// Bytes that are kept for the requests that wait, with all that was read along with them.
    package static let waitingBytesMax = 64 << 20
    /// How many requests past the bound are refused before reading stops until some are answered.
    package static let waitingRefusalsMax = 100_000
    /// Bytes of the ids that are kept for those refusals, past which reading stops as well.
    package static let waitingRefusalBytesMax = 16 << 20
    /// How much memory replies that the client has not read may take before reading stops until it reads.
    package static let unreadBytesMax = answerBytesMax
    /// How long the answers of one turn grow before they go out.
    package static let turnBytes = 1 << 20
    /// How much is written at once, so that progress shows.
    static let writeBytes = 64 << 10
    /// The memory for answers that is kept for the next turn; a batch's answer may have taken a few times as much.
    static let outputBytesKept = 4 << 20
    /// Threads that do slow work, however many processors there are: each may need the 19 MiB of a password's hash.
    package static let workThreadsMax = 32
    /// How many pieces of slow work are handed out ahead of their turn.
    package static let workAheadMax = 64
    /// POSIX's PIPE_BUF on Linux: a pipe that is ready takes so much without blocking.
    package static let pipeAtomicBytes = 4_096
}
