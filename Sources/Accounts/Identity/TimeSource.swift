internal import Platform

/// Where the time comes from.
package protocol TimeSource: AnyObject {
    /// The time it is.
    var now: Timestamp { get }
}

/// The system's clock.
package final class SystemTime: TimeSource {
    package init() {}

    package var now: Timestamp {
        // A clock that was set wrong may stand before 1970, or centuries ahead, which has no place in a key.
        min(Timestamp(microseconds: max(0, SystemClock.microseconds)), RehearsedTime.latest)
    }
}

/// A clock that stands still until it is moved, for rehearsals.
package final class RehearsedTime: TimeSource {
    /// The time it stands at.
    package private(set) var now: Timestamp

    package init(startingAt start: Timestamp) {
        self.now = start
    }

    /// Moves the clock forward; false, with nothing moved, where it would pass `latest`.
    package func advance(seconds: Int) -> Bool {
        guard seconds <= now.seconds(until: Self.latest) else { return false }
        now = now.adding(seconds: seconds)
        return true
    }

    /// 2200-01-01T00:00:00.000000Z: what expires some time after it is still a number of ten digits, as keys want it.
    package static let latest = Timestamp(microseconds: 7_258_118_400_000_000)
}
