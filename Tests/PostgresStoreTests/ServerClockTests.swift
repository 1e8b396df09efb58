import Testing

@testable import PostgresStore

struct ServerClockTests {
    private let own = TestClock()
    private let clock: ServerClock

    init() {
        clock = ServerClock(own.clocks)
    }

    /// How far the server's clock is ahead, in microseconds.
    private var difference: Int { clock.microseconds - own.microseconds }

    /// Takes the time of a server that is ahead by some microseconds, when half of a round trip has passed.
    private func take(ahead: Int, trip: Int) {
        let sent = own.microseconds
        own.advance(microseconds: trip)
        clock.take(sent + trip / 2 + ahead, between: sent, and: own.microseconds)
    }

    @Test func isTheOwnOneAtFirst() { #expect(difference == 0) }

    @Test(arguments: [0, 5_000_000, -5_000_000])
    func isTheServersAfterTheFirstRoundTrip(ahead: Int) {
        take(ahead: ahead, trip: 2_000)
        #expect(difference == ahead)
        own.advance(milliseconds: 60_000)
        #expect(difference == ahead)
    }

    /// An estimate that a later round trip allows stays as it is, so that times do not jump.
    @Test func staysWhileItIsPossible() {
        take(ahead: 1_000, trip: 2_000)
        take(ahead: 1_400, trip: 2_000)
        #expect(difference == 1_000)
    }

    @Test(arguments: [(8_000, 7_000), (-8_000, -7_000)])
    func movesToTheNearestPossibleTime(ahead: Int, expected: Int) {
        take(ahead: 0, trip: 2_000)
        take(ahead: ahead, trip: 2_000)
        #expect(difference == expected)
    }

    /// The own clock was set back during the round trip.
    @Test func ignoresARoundTripThatEndsBeforeItBegins() {
        take(ahead: 1_000, trip: 2_000)
        clock.take(own.microseconds + 1_000_000, between: own.microseconds + 1, and: own.microseconds)
        #expect(difference == 1_000)
    }
}
