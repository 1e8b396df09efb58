internal import Glibc

/// Where the time comes from.
package protocol TimeSource: AnyObject {
    /// The time it is.
    var now: Timestamp { get }
}

/// The system's clock.
package final class SystemTime: TimeSource {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)
    }
}

/// A clock that stands still until it is moved, for rehearsals.
package final class RehearsedTime: TimeSource {
    /// The time it stands at.
    package private(set) var now: Timestamp

    package init(startingAt start: Timestamp) {
        self.now = start
    }

    /// Moves the clock forward.
    package func advance(seconds: Int) {
        now = now.adding(seconds: seconds)
    }
}
