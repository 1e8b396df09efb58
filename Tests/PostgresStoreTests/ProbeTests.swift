import Store
import Testing

@testable import PostgresStore

/// The open connections of a process, after a request on one of them has timed out.
struct ProbeTests {
    /// Reads a key with an engine. Returns whether that worked.
    private func reads(_ engine: PostgresEngine) -> Bool {
        (try? engine.read { transaction in _ = try transaction.value(of: ScriptedStore.key) }) != nil
    }

    /// Three engines with open connections, of which the first has timed out.
    private func timedOut(_ later: [ScriptedServer.Answer]) throws -> (ScriptedStore, PostgresEngine, PostgresEngine) {
        let store = ScriptedStore([.reading: [.success, .success, .success, .nothing] + later])
        let others = (store.process.makeEngine(), store.process.makeEngine())
        #expect(reads(store.engine) && reads(others.0) && reads(others.1))
        #expect(!reads(store.engine))
        #expect(store.server.connections == 3 && store.server.closed == [1])
        return (store, others.0, others.1)
    }

    private func probed(_ store: ScriptedStore) -> [Int] {
        store.server.groups.filter { $0.names == ["probe"] }.map(\.connection)
    }

    @Test func replacesAConnectionThatDoesNotAnswer() throws {
        let (store, other, _) = try timedOut([.nothing])
        let start = store.server.clock.milliseconds
        #expect(reads(other))
        #expect(store.server.closed == [1, 2] && store.server.connections == 4)
        #expect(store.server.clock.milliseconds - start == 1_000)
    }

    @Test func goesOnWithAConnectionThatAnswers() throws {
        let (store, other, _) = try timedOut([])
        #expect(reads(other) && reads(other))
        #expect(probed(store) == [2])
        #expect(store.server.closed == [1] && store.server.connections == 3)
    }

    /// While a server is slow, probes that time out must not cause more of them.
    @Test func aProbeThatTimesOutCausesNoOther() throws {
        let (store, other, third) = try timedOut([.success, .success, .nothing])
        #expect(reads(third))
        #expect(reads(other))
        #expect(probed(store) == [3, 2] && store.server.closed == [1, 2])
        #expect(reads(third))
        #expect(probed(store) == [3, 2])
    }

    /// A request that has waited for most of its time must not take a good connection for a dead one.
    @Test func aGroupWithLittleTimeSaysNothing() throws {
        let store = ScriptedStore()
        let other = store.process.makeEngine()
        #expect(reads(store.engine) && reads(other))
        let soon = store.server.clock.milliseconds + 999
        #expect(throws: ServerFault.timedOut) {
            try store.engine.run([Statements.probe()], on: TimedOutConnection(store.server), before: soon)
        }
        #expect(reads(other))
        #expect(probed(store) == [])
    }

    @Test func probesNothingWithoutATimeOut() {
        let store = ScriptedStore([.reading: [.success, .fault(.lost("gone"))]])
        let other = store.process.makeEngine()
        for _ in 0..<3 { #expect(reads(store.engine) && reads(other)) }
        #expect(probed(store) == [])
    }

    /// A commit that times out says as much about the server as a read.
    @Test func probesAfterACommitThatTimedOut() {
        let store = ScriptedStore([.commit: [.nothing]])
        let other = store.process.makeEngine()
        #expect(reads(other))
        _ = store.write()
        #expect(reads(other))
        #expect(probed(store) == [1])
    }
}

/// A connection on which nothing is answered.
private final class TimedOutConnection: ServerConnection {
    private let server: ScriptedServer
    let hasSessionSettings = false

    init(_ server: ScriptedServer) {
        self.server = server
    }

    func run(_ statements: [Statement], before deadline: Int?) throws(ServerFault) -> [StatementResult] {
        server.clock.advance(milliseconds: (deadline ?? 0) - server.clock.milliseconds)
        throw .timedOut
    }

    func post(_ statements: [Statement]) {}
    func close() {}
}
