import Store
import Testing

@testable import PostgresStore

/// Connecting, at the start of a process and later.
struct OpeningTests {
    typealias Answer = ScriptedServer.Answer
    typealias Outcome = ScriptedStore.Outcome

    private static let noDatabase = Answer.fault(.unusable("there is no such database"))

    private func error(of store: ScriptedStore) -> StoreError? {
        do throws(StoreError) {
            try store.process.openStore()
            return nil
        } catch {
            return error
        }
    }

    @Test func opensAStoreThatIsComplete() {
        let store = ScriptedStore()
        #expect(error(of: store) == nil && store.log == [])
        #expect(store.server.connections == 1 && store.server.closed == [1])
    }

    @Test(arguments: [
        [Answer.loss, .loss], [.after(milliseconds: 3_000, .loss)],
    ])
    func waitsForAServerAtStart(answers: [Answer]) {
        let store = ScriptedStore([.connection: answers])
        #expect(error(of: store) == nil)
        #expect(store.server.connections == answers.count + 1)
        #expect(store.log == Array(repeating: "waiting for the server: the socket broke", count: answers.count))
    }

    /// The server starts, or ends the connection, while the store is opened, as behind a pooler.
    @Test(arguments: [Answer.loss, .refusal("57P03"), .refusal("08006")])
    func opensTheStoreAgain(answer: Answer) {
        let store = ScriptedStore([.reading: [.success, answer]])
        #expect(error(of: store) == nil && store.server.connections == 2)
    }

    @Test func endsAfterTheTimeout() {
        let store = ScriptedStore([.connection: Array(repeating: .loss, count: 1_000)])
        #expect(error(of: store) == .unavailable("the socket broke", retryAfterSeconds: 1))
        #expect((9_500...10_000).contains(store.server.clock.milliseconds))
    }

    /// Waiting does not help if the server refuses the connection.
    @Test func endsAtOnceIfTheServerCannotBeUsed() {
        let store = ScriptedStore([.connection: [Self.noDatabase]])
        #expect(error(of: store) == .unusable("there is no such database"))
        #expect(store.server.connections == 1 && store.server.clock.milliseconds == 0 && store.log == [])
    }

    @Test(arguments: ["42501", "42P01"])
    func endsAtOnceIfAStatementIsRefused(state: String) {
        let store = ScriptedStore([.reading: [.refusal(state)]])
        #expect(error(of: store) == .serverFailed("a message (SQLSTATE \(state))"))
        #expect(store.server.connections == 1 && store.server.clock.milliseconds == 0)
    }

    /// The server is back, as another connection of the process finds first.
    @Test func connectsAtOnceAfterAnAnswerOnAnotherConnection() throws {
        let store = ScriptedStore([.connection: [.success] + Array(repeating: .loss, count: 51)])
        #expect(store.write() == Outcome(runs: 1))
        func readOnAnother() throws { _ = try store.process.makeEngine().read { try $0.value(of: ScriptedStore.key) } }
        let unavailable = StoreError.unavailable("the socket broke", retryAfterSeconds: 1)
        #expect(throws: unavailable) { try readOnAnother() }
        #expect(throws: unavailable) { try readOnAnother() }
        #expect(store.server.connections == 52)
        #expect(store.write() == Outcome(runs: 1))
        try readOnAnother()
        #expect(store.server.connections == 53)
    }

    /// A process that runs serves again when the right server does.
    @Test(arguments: [noDatabase, .loss])
    func livesWithAServerThatRefuses(answer: Answer) {
        let store = ScriptedStore([
            .reading: [.success, .loss], .connection: [.success] + Array(repeating: answer, count: 100),
        ])
        let reason = if case .fault(let fault) = answer { fault.reason } else { "" }
        let unavailable = StoreError.unavailable(reason, retryAfterSeconds: 1)
        #expect(store.write() == Outcome(runs: 1))
        #expect(store.write() == Outcome(runs: 1, error: unavailable))
        #expect(store.log.last == "the server cannot be reached: \(reason)")
        // Now requests fail at once, and one each second tries to connect, once.
        let (tries, time) = (store.server.connections, store.server.clock.milliseconds)
        for _ in 1...5 { #expect(store.write() == Outcome(runs: 0, error: unavailable)) }
        #expect(store.server.connections == tries && store.server.clock.milliseconds == time)
        var others = 0
        while store.write() != Outcome(runs: 1) {
            store.server.clock.advance(milliseconds: Breaker.retryMilliseconds)
            others += 1
        }
        #expect(store.server.connections == 102 && others == 102 - tries)
        #expect(store.log.last == "the server can be reached again")
        #expect(store.log.count { $0.hasPrefix("the server cannot be reached") } == 1)
    }
}
