import Platform

/// The pause before a request retries because another process holds the directory lock. It runs on a worker thread, so
/// the service executes other requests meanwhile.
enum LockPause {
    private static let microseconds = 5_000

    /// Lets the pause pass.
    static func pass() { Thread.sleep(microseconds: microseconds) }
}
