internal import CLibrary

/// A clock that is never set back or forward, for measuring waits.
package enum MonotonicClock {
    /// Milliseconds since an arbitrary time before the process started.
    package static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1_000 + Int(time.tv_nsec) / 1_000_000
    }
}
