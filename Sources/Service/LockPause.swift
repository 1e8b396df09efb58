import Platform

/// The pause before a request retries because another process holds the directory lock. It runs on a worker thread, so
/// the loop stays free: it executes the requests of other lanes meanwhile. With replies in order there is one lane, so
/// all later requests wait.
enum LockPause {
    private static let microseconds = 5_000

    /// Lets the pause pass.
    static func pass() { Thread.sleep(microseconds: microseconds) }
}
