internal import Synchronization
internal import Platform

/// A clock.
package protocol TimeSource: AnyObject {
    /// The current time.
    var now: Timestamp { get }
}

/// The clock of this system, or that of a store's server.
package final class SystemTime: TimeSource, Sendable {
    private let microseconds: @Sendable () -> Int

    /// - Parameter microseconds: the Unix time.
    package init(microseconds: @escaping @Sendable () -> Int = { SystemClock.microseconds }) {
        self.microseconds = microseconds
    }

    package var now: Timestamp {
        // A wrongly set clock may be before 1970 or centuries ahead, which a key cannot represent.
        min(Timestamp(microseconds: max(0, microseconds())), DeterministicTime.latest)
    }
}

/// A clock that changes only when it is advanced, for deterministic mode.
package final class DeterministicTime: TimeSource, Sendable {
    private let time: Mutex<Timestamp>

    package init(startingAt start: Timestamp) {
        time = Mutex(start)
    }

    /// The current time.
    package var now: Timestamp { time.withLock { $0 } }

    /// Advances the clock. Returns false, without a change, if it would pass `latest`.
    package func advance(seconds: Int) -> Bool {
        time.withLock { now in
            guard seconds <= now.seconds(until: Self.latest) else { return false }
            now = now.adding(seconds: seconds)
            return true
        }
    }

    /// 2200-01-01T00:00:00.000000Z. Expiry times some time after it still have ten digits as Unix time, as keys
    /// require.
    package static let latest = Timestamp(microseconds: 7_258_118_400_000_000)
}
