internal import Synchronization

/// The server's clock, as all processes on all machines read it.
///
/// Transactions bring the server's time, at least one in each second in which there are some. The true difference to
/// the own clock lies between those of the moments before and after the round trip. An estimate outside of them is
/// corrected to the nearer one.
package final class ServerClock: Sendable {
    private let clocks: Clocks
    private let difference = Mutex<Int?>(nil)
    /// When it was taken last, in milliseconds of `MonotonicClock`.
    private let taken = Atomic<Int>(-recentMilliseconds)
    private static let recentMilliseconds = 1_000

    init(_ clocks: Clocks) {
        self.clocks = clocks
    }

    /// The Unix time in microseconds.
    package var microseconds: Int { clocks.microseconds() + difference.withLock { $0 ?? 0 } }

    /// Whether a transaction need not bring the server's time.
    var isRecent: Bool { clocks.milliseconds() - taken.load(ordering: .relaxed) < Self.recentMilliseconds }

    /// Takes the server's time that a round trip has brought.
    func take(_ time: Int, between sent: Int, and received: Int) {
        guard sent <= received else { return }
        taken.store(clocks.milliseconds(), ordering: .relaxed)
        let range = (time - received)...(time - sent)
        difference.withLock { difference in
            difference =
                difference.map { min(max($0, range.lowerBound), range.upperBound) } ?? (time - (sent + received) / 2)
        }
    }
}
