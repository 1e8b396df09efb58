internal import Platform

/// The clocks that deadlines and ages are measured with, and the pauses between tries. Tests hand in their own.
struct Clocks: Sendable {
    /// The time in milliseconds of `MonotonicClock`.
    var milliseconds: @Sendable () -> Int
    /// The Unix time in microseconds of this machine.
    var microseconds: @Sendable () -> Int
    /// Suspends the calling thread for a number of microseconds.
    var pause: @Sendable (Int) -> Void

    /// Those of the system.
    static let system = Clocks(
        milliseconds: { MonotonicClock.milliseconds },
        microseconds: { SystemClock.microseconds },
        pause: { Thread.sleep(microseconds: $0) }
    )
}
