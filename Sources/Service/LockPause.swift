import Glibc

/// The pause before a request retries because another process holds the directory lock. It runs on a worker thread, so
/// the service answers other requests meanwhile.
enum LockPause {
    private static let microseconds: UInt32 = 5_000

    /// Sleeps for the pause.
    static func pass() { usleep(microseconds) }
}
