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

    /// A session that was opened while the clock stood a year ahead once lasted a year longer than any other.
    @Test func shortensSessionsThatAClockAheadHasOpened() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSessions()
        let sessions = Sessions(.care, perAccountMax: 5, expired: expired)
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let token = SecretToken(bytes: 64, from: SystemRandom())
        func account(at time: Timestamp) throws -> Int? {
            try store.transact { try sessions.account(holding: token.text, at: time, in: $0) }
        }
        try store.transact { try sessions.open(token, for: 7, at: start.adding(seconds: 365 * 86_400), in: $0) }
        #expect(try account(at: start) == 7)
        try expired.end(in: store)
        #expect(try account(at: start.adding(seconds: Limits.sessionSeconds - 1)) == 7)
        #expect(try account(at: start.adding(seconds: Limits.sessionSeconds)) == nil)
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
