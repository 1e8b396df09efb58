import Testing

@testable import PostgresStore

struct BreakerTests {
    private let clock = TestClock()
    private let breaker: Breaker

    init() {
        breaker = Breaker(clock.clocks)
    }

    /// Takes the turn, without waiting for it, and passes it. Returns why the request must fail.
    private func turn() -> String? {
        switch breaker.admit(before: clock.milliseconds) {
        case .refused(let reason): return reason
        case .turn: breaker.passTurn()
        case .free: break
        }
        return nil
    }

    @Test func givesOneTurnAtATime() {
        #expect(breaker.admit(before: clock.milliseconds) == .turn)
        #expect(turn() == "another request is still trying to connect")
        breaker.passTurn()
        #expect(turn() == nil)
        #expect(!breaker.isOpen)
    }

    @Test func failsAtOnceWhileItIsOpen() {
        breaker.open("gone")
        #expect(breaker.isOpen && turn() == "gone")
        clock.advance(milliseconds: Breaker.retryMilliseconds - 1)
        #expect(turn() == "gone")
    }

    /// While one request tries, the others fail, however long that takes.
    @Test func letsOneRequestTryWhileItIsOpen() {
        breaker.open("gone")
        clock.advance(milliseconds: Breaker.retryMilliseconds)
        #expect(breaker.admit(before: clock.milliseconds + 5_000) == .turn)
        for _ in 1...3 {
            #expect(breaker.admit(before: clock.milliseconds + 5_000) == .refused("gone"))
            clock.advance(milliseconds: Breaker.retryMilliseconds)
        }
        breaker.open("still gone")
        breaker.passTurn()
        #expect(turn() == "still gone")
        clock.advance(milliseconds: Breaker.retryMilliseconds)
        #expect(turn() == nil)
    }

    /// After an answer on an open connection, the next request tries at once; if it fails, requests fail at once again,
    /// also after another answer.
    @Test func triesAtOnceAfterAnAnswer() {
        breaker.open("gone")
        breaker.noteAnswer()
        #expect(breaker.isOpen && breaker.admit(before: clock.milliseconds) == .turn)
        // Another one waits for what the first finds.
        #expect(turn() == "another request is still trying to connect")
        breaker.open("full")
        breaker.passTurn()
        #expect(turn() == "full")
        breaker.noteAnswer()
        #expect(turn() == "full")
        clock.advance(milliseconds: Breaker.retryMilliseconds)
        #expect(turn() == nil)
    }

    @Test func doesNotOpenByAnAnswer() {
        breaker.noteAnswer()
        #expect(!breaker.isOpen && turn() == nil)
        breaker.open("gone")
        #expect(turn() == "gone")
    }

    @Test func closesWhenTheServerIsReached() {
        #expect(!breaker.close())
        breaker.open("gone")
        #expect(breaker.close() && !breaker.isOpen && turn() == nil)
        #expect(!breaker.close())
    }

    /// Requests need no turns while the server can be reached.
    @Test func isFreeUntilAConnectionIsLost() {
        #expect(breaker.admit(before: clock.milliseconds) == .turn)
        _ = breaker.close()
        #expect(breaker.admit(before: clock.milliseconds) == .free)
        breaker.noteLoss()
        #expect(turn() == "another request is still trying to connect")
        breaker.passTurn()
        #expect(breaker.admit(before: clock.milliseconds) == .turn)
        breaker.open("gone")
        #expect(turn() == "gone")
    }
}
