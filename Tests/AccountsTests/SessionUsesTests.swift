import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

struct SessionUsesTests {
    private let store = Store(engine: LocalEngine())
    private let uses = SessionUses()
    private let start = Timestamp(microseconds: 1_456_351_672_000_000)
    private var sessions: Sessions { Sessions(.care, perAccountMax: 5, uses: uses) }
    private let a = SessionUsesTests.token()
    private let b = SessionUsesTests.token()

    private static func token() -> SecretToken { SecretToken(bytes: 16, from: SystemRandom()) }

    private func open(_ token: SecretToken, for account: Int = 1) throws {
        try store.transact { tx in _ = try sessions.open(token, for: account, at: start, in: tx) }
    }

    private func use(_ token: SecretToken, at time: Timestamp) throws {
        _ = try store.transact { tx in
            try sessions.account(
                holding: token.bearer,
                at: time,
                in: tx,
                orThrow: AccountError(ErrorCode.Care.invalidCode)
            )
        }
    }

    private func stored(_ token: SecretToken) throws -> Timestamp? {
        try store.transact { try $0.get(Session.self, sessions.key(of: token.bearer))?.lastUsed }
    }

    @Test func writesNothingBeforeTheUsesAreStored() throws {
        try open(a)
        try use(a, at: start.adding(seconds: 5))
        #expect(try stored(a) == nil)
        #expect(uses.secondsUntilDue(at: start.adding(seconds: 5)) == Limits.sessionUseSeconds)
        #expect(uses.secondsUntilDue(at: start.adding(seconds: 5 + Limits.sessionUseSeconds)) == 0)
    }

    @Test func storesTheLatestUseOfEachSession() throws {
        try open(a)
        try open(b)
        try use(a, at: start.adding(seconds: 1))
        try use(b, at: start.adding(seconds: 2))
        try use(a, at: start.adding(seconds: 3))
        #expect(try !uses.store(in: store))
        #expect(try stored(a) == start.adding(seconds: 3))
        #expect(try stored(b) == start.adding(seconds: 2))
        #expect(uses.secondsUntilDue(at: start.adding(seconds: 9_999)) == nil)
    }

    /// Another process has stored a later use.
    @Test func keepsALaterUseThatTheStoreHas() throws {
        try open(a)
        try use(a, at: start.adding(seconds: 1))
        try store.transact { tx in
            var session = try #require(try tx.get(Session.self, sessions.key(of: a.bearer)))
            session.lastUsed = start.adding(seconds: 50)
            try tx.update(session)
        }
        _ = try uses.store(in: store)
        #expect(try stored(a) == start.adding(seconds: 50))
    }

    @Test func doesNotReopenASessionThatHasEnded() throws {
        try open(a)
        try use(a, at: start.adding(seconds: 1))
        try store.transact { try sessions.end(a.bearer, in: $0) }
        _ = try uses.store(in: store)
        #expect(try store.transact { try $0.get(Session.self, sessions.key(of: a.bearer)) } == nil)
    }

    /// A process that serves a single read must not write each time.
    @Test func dropsTheUsesThatTheStoreNeedNotHave() throws {
        try open(a)
        try use(a, at: start.adding(seconds: Limits.sessionUseSeconds - 1))
        uses.removeRecent()
        #expect(uses.secondsUntilDue(at: start.adding(seconds: 9_999)) == nil)
        _ = try uses.store(in: store)
        #expect(try stored(a) == nil)
        try use(a, at: start.adding(seconds: Limits.sessionUseSeconds))
        uses.removeRecent()
        _ = try uses.store(in: store)
        #expect(try stored(a) == start.adding(seconds: Limits.sessionUseSeconds))
    }

    @Test func storesManyUsesInSeveralTransactions() throws {
        let tokens = (0...Limits.sweptRowsMax).map { _ in Self.token() }
        for (index, token) in tokens.enumerated() {
            try open(token, for: index)
            try use(token, at: start.adding(seconds: 1))
        }
        #expect(try uses.store(in: store))
        #expect(try !uses.store(in: store))
        for token in tokens { #expect(try stored(token) == start.adding(seconds: 1)) }
    }
}
