internal import CLibrary

/// The system's clock, which may be set at any time.
package enum SystemClock {
    /// The Unix time in microseconds. It is negative before 1970.
    package static var microseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000
    }

    /// The Unix time in seconds.
    package static var seconds: Int { Int(time(nil)) }
}
