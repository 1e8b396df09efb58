import Platform

/// The pause before a request asks again for the store's lock, which another process holds. It passes on another thread,
/// so that other requests are answered meanwhile.
enum LockPause {
    private static let microseconds = 5_000

    /// Lets the pause pass.
    static func pass() { Thread.sleep(microseconds: microseconds) }
}
