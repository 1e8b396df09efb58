import Synchronization

@testable import PostgresStore

/// Clocks that only tests and pauses advance.
final class TestClock: Sendable {
    private let advanced = Atomic(0)

    /// The Unix time in microseconds at which it starts.
    static let start = 1_700_000_000_000_000

    /// In milliseconds of `MonotonicClock`.
    var milliseconds: Int { advanced.load(ordering: .sequentiallyConsistent) / 1_000 }
    /// The Unix time in microseconds.
    var microseconds: Int { Self.start + advanced.load(ordering: .sequentiallyConsistent) }

    func advance(milliseconds: Int) { advance(microseconds: milliseconds * 1_000) }

    func advance(microseconds: Int) { advanced.add(microseconds, ordering: .sequentiallyConsistent) }

    var clocks: Clocks {
        Clocks(
            milliseconds: { self.milliseconds },
            microseconds: { self.microseconds },
            pause: { self.advance(microseconds: $0) }
        )
    }
}
