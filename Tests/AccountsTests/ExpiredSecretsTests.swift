import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

struct ExpiredSecretsTests {
    private let store = Store(engine: LocalEngine())
    private let sessions = Sessions(.care, perAccountMax: 5, uses: SessionUses())
    private let codes = MailedCodes(.operators)
    private let start = Timestamp(microseconds: 1_456_351_672_000_000)

    /// The result of `body`; nil if it refuses a secret. An expired secret that the error names is then deleted.
    private func value<Value>(_ body: (Transaction) throws -> Value) throws -> Value? {
        do {
            return try store.read(body)
        } catch let error as AccountError {
            var expired = ExpiredSecrets()
            if let secret = error.expired { expired.insert(secret) }
            try expired.delete(in: store)
            return nil
        }
    }

    private func account(_ token: SecretToken, at time: Timestamp) throws -> Int? {
        let refusal = AccountError(ErrorCode.Care.invalidAccessToken)
        return try value { try sessions.account(holding: token.bearer, at: time, in: $0, orThrow: refusal) }
    }

    private func isValid(_ code: String, at time: Timestamp) throws -> Bool {
        let refusal = AccountError(ErrorCode.Operators.codeInvalid)
        return try value { try codes.find(.reset, code, at: time, in: $0, orThrow: refusal) } != nil
    }

    private func issue(_ secret: String) throws -> String {
        try store.transact { try codes.issue(.reset, for: 7, secret: secret, at: start, in: $0) }
    }

    /// A session that was refused as expired stays invalid, even if the clock is set back.
    @Test func stayInvalidOnceRefused() throws {
        let tokens = (0..<2).map { _ in SecretToken(bytes: 64, from: SystemRandom()) }
        try store.transact { tx in
            for token in tokens { try sessions.open(token, for: 7, at: start, in: tx) }
        }
        #expect(try account(tokens[0], at: start.adding(seconds: 1_000 * 86_400)) == nil)
        #expect(try account(tokens[0], at: start) == nil)
        #expect(try account(tokens[1], at: start) == 7)
    }

    /// The same for a mailed code. A newer code of the same account stays valid.
    @Test func stayInvalidAsCodesOnceRefused() throws {
        let later = start.adding(seconds: Limits.resetCodeSeconds)
        let (first, second) = (String(repeating: "1", count: 32), String(repeating: "2", count: 32))
        let code = try issue(first)
        #expect(try !isValid("7-\(second)", at: later), "a wrong guess ends no code")
        #expect(try isValid(code, at: start))
        #expect(try !isValid(code, at: later))
        #expect(try !isValid(code, at: start))

        let superseded = try issue(first)
        var expired = ExpiredSecrets()
        let error = #expect(throws: AccountError.self) {
            try store.read { tx in
                let refusal = AccountError(ErrorCode.Operators.codeInvalid)
                return try codes.find(.reset, superseded, at: later, in: tx, orThrow: refusal)
            }
        }
        expired.insert(try #require(error?.expired))
        let newer = try issue(second)
        try expired.delete(in: store)
        #expect(try isValid(newer, at: start))
    }

    /// A machine may start with a clock that is years behind until it is set. Sessions used meanwhile stay valid.
    @Test func surviveAClockThatIsBehind() throws {
        let token = SecretToken(bytes: 64, from: SystemRandom())
        try store.transact { _ = try sessions.open(token, for: 7, at: start, in: $0) }
        for time in [start.adding(seconds: -365 * 86_400), start.adding(seconds: Limits.sessionSeconds - 1)] {
            #expect(try account(token, at: time) == 7)
        }
    }

    @Test func areFoundByATokenWithSurroundingWhiteSpace() throws {
        let token = SecretToken(bytes: 64, from: SystemRandom())
        try store.transact { tx in
            try sessions.open(token, for: 7, at: start, in: tx)
            #expect(try sessions.account(holding: BearerToken(" \(token.text)\n"), at: start, in: tx) == 7)
            try sessions.end(BearerToken("\(token.text)\n"), in: tx)
            #expect(try sessions.account(holding: token.bearer, at: start, in: tx) == nil)
        }
    }
}
