import Store
import Testing
import PosternTesting

@testable import Accounts

struct ExpiredSecretsTests {
    /// A session that was refused once is no good any more, even where the clock is put back.
    @Test func doNotRevive() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSecrets()
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
        try expired.delete(in: store)
        #expect(try account(tokens[0], at: start) == nil)
        #expect(try account(tokens[1], at: start) == 7)
        try expired.delete(in: store)
        #expect(try account(tokens[1], at: start) == 7)
    }

    /// The same for a mailed code. A newer code of the same account is another one, and lives on.
    @Test func doNotReviveAsCodes() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSecrets()
        let codes = MailedCodes(.operators, expired: expired)
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let later = start.adding(seconds: Limits.resetCodeSeconds)
        let (first, second) = (String(repeating: "1", count: 32), String(repeating: "2", count: 32))
        func isGood(_ code: String, at time: Timestamp) throws -> Bool {
            try store.transact { try codes.find(.reset, code, at: time, in: $0) != nil }
        }
        func issue(_ secret: String) throws -> String {
            try store.transact { try codes.issue(.reset, for: 7, secret: secret, at: start, in: $0) }
        }
        let code = try issue(first)
        #expect(try !isGood("7-\(second)", at: later), "a wrong guess ends nothing")
        try expired.delete(in: store)
        #expect(try isGood(code, at: start))
        #expect(try !isGood(code, at: later))
        try expired.delete(in: store)
        #expect(try !isGood(code, at: start))

        let superseded = try issue(first)
        #expect(try !isGood(superseded, at: later))
        let newer = try issue(second)
        try expired.delete(in: store)
        #expect(try isGood(newer, at: start))
    }

    /// A machine may start with a clock that is years behind until it is set; the sessions used meanwhile live on.
    @Test func outliveAClockThatIsBehind() throws {
        let store = Store(engine: LocalEngine())
        let expired = ExpiredSecrets()
        let sessions = Sessions(.care, perAccountMax: 5, expired: expired)
        let start = Timestamp(microseconds: 1_456_351_672_000_000)
        let token = SecretToken(bytes: 64, from: SystemRandom())
        try store.transact { try sessions.open(token, for: 7, at: start, in: $0) }
        for time in [start.adding(seconds: -365 * 86_400), start.adding(seconds: Limits.sessionSeconds - 1)] {
            #expect(try store.transact { try sessions.account(holding: token.text, at: time, in: $0) } == 7)
            try expired.delete(in: store)
        }
    }

    @Test func areFoundByATokenWithWhiteSpaceAroundIt() throws {
        let store = Store(engine: LocalEngine())
        let sessions = Sessions(.care, perAccountMax: 5, expired: ExpiredSecrets())
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
