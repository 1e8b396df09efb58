import Store
import Testing

@testable import PostgresStore

/// The open connections of a process whose server has stopped to answer on one of them.
struct SilenceTests {
    /// Reads a key with an engine. Returns whether that worked.
    private func reads(_ engine: PostgresEngine) -> Bool {
        (try? engine.read { transaction in _ = try transaction.value(of: ScriptedStore.key) }) != nil
    }

    /// Two engines with open connections, of which the first has timed out.
    private func silent(_ later: [ScriptedServer.Answer]) throws -> (ScriptedStore, PostgresEngine) {
        let store = ScriptedStore([.reading: [.success, .success, .nothing] + later])
        let other = store.process.makeEngine()
        #expect(reads(store.engine) && reads(other))
        #expect(!reads(store.engine))
        #expect(store.server.connections == 2 && store.server.closed == [1])
        return (store, other)
    }

    @Test func replacesAConnectionThatDoesNotAnswerAShortQuestion() throws {
        let (store, other) = try silent([.nothing])
        let start = store.server.clock.milliseconds
        #expect(reads(other))
        #expect(store.server.closed == [1, 2] && store.server.connections == 3)
        #expect(store.server.clock.milliseconds - start == 1_000)
    }

    @Test func goesOnWithAConnectionThatAnswers() throws {
        let (store, other) = try silent([])
        #expect(reads(other) && reads(other))
        let questions = store.server.groups.filter { $0.names == ["question"] }
        #expect(questions.map(\.connection) == [2])
        #expect(store.server.closed == [1] && store.server.connections == 2)
    }

    @Test func asksNoQuestionWithoutATimeOut() {
        let store = ScriptedStore([.reading: [.success, .fault(.lost("gone"))]])
        let other = store.process.makeEngine()
        for _ in 0..<3 { #expect(reads(store.engine) && reads(other)) }
        #expect(!store.server.groups.contains { $0.names == ["question"] })
    }

    /// A commit that times out says as much about the server as a read.
    @Test func asksAfterACommitThatTimedOut() {
        let store = ScriptedStore([.commit: [.nothing]])
        let other = store.process.makeEngine()
        #expect(reads(other))
        _ = store.write()
        #expect(reads(other))
        #expect(store.server.groups.contains { $0.names == ["question"] && $0.connection == 1 })
    }
}
