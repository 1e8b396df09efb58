import Store
import Testing

@testable import Accounts

struct ExpiredSessionsTests {
    /// A session that was refused once is no good any more, even where the clock is put back.
    @Test func doNotRevive() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSessions()
        let sessions = Sessions(.care, perAccountMax: 5, expired: expired)
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let tokens = (0..<2).map { _ in SecretToken(bytes: 64, from: SystemRandom()) }
        try store.transact { tx in
            for token in tokens { try sessions.open(token, for: 7, at: start, in: tx) }
        }
        func account(_ token: SecretToken, at time: Timestamp) throws -> Int? {
            try store.transact { try sessions.account(holding: token.text, at: time, in: $0) }
        }
        #expect(try account(tokens[0], at: start.adding(seconds: 1_000 * 86_400)) == nil)
        try expired.end(in: store)
        #expect(try account(tokens[0], at: start) == nil)
        #expect(try account(tokens[1], at: start) == 7)
        try expired.end(in: store)
        #expect(try account(tokens[1], at: start) == 7)
    }

    /// A machine may start with a clock that is years behind until it is set; the sessions used meanwhile live on.
    @Test func outliveAClockThatIsBehind() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSessions()
        let sessions = Sessions(.care, perAccountMax: 5, expired: expired)
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let token = SecretToken(bytes: 64, from: SystemRandom())
        try store.transact { try sessions.open(token, for: 7, at: start, in: $0) }
        for time in [start.adding(seconds: -365 * 86_400), start.adding(seconds: Limits.sessionSeconds - 1)] {
            #expect(try store.transact { try sessions.account(holding: token.text, at: time, in: $0) } == 7)
            try expired.end(in: store)
        }
    }

    @Test func areFoundByATokenWithWhiteSpaceAroundIt() throws {
        let store = Store(engine: LocalEngine())
        let sessions = Sessions(.care, perAccountMax: 5, expired: ExpiredSessions())
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let token = SecretToken(bytes: 64, from: SystemRandom())
        try store.transact { tx in
            try sessions.open(token, for: 7, at: start, in: tx)
            #expect(try sessions.account(holding: " \(token.text)\n", at: start, in: tx) == 7)
            try sessions.end("\(token.text)\n", in: tx)
            #expect(try sessions.account(holding: token.text, at: start, in: tx) == nil)
        }
    }
}
