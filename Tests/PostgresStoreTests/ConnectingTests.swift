import Platform
import Store
import Synchronization
import Testing

@testable import PostgresStore

private let threads = 8

/// Several threads that connect at once.
struct ConnectingTests {
    /// Counts the tries to connect, and lets each wait until a latch is open.
    private final class CountingConnector: Connector {
        private struct State {
            var tries = 0
            var underWay = 0
            var underWayMax = 0
        }

        let clock: TestClock
        let latch = Latch()
        /// Opens when all but the first try are under way.
        private let others = Latch()
        private let server: ScriptedServer?
        private let state = Mutex(State())

        private let waitsForOthers: Bool

        /// - Parameters:
        ///   - server: what connections lead to; nil if each try lasts until the time-out, and fails.
        ///   - waitsForOthers: whether each try but the first lasts until all others are under way.
        init(to server: ScriptedServer?, waitsForOthers: Bool = false) {
            self.server = server
            self.waitsForOthers = waitsForOthers
            clock = server?.clock ?? TestClock()
        }

        var tries: Int { state.withLock { $0.tries } }
        var underWayMax: Int { state.withLock { $0.underWayMax } }

        func connect(before deadline: Int) throws(ServerFault) -> any ServerConnection {
            let (number, underWay) = state.withLock { state in
                state.tries += 1
                state.underWay += 1
                state.underWayMax = max(state.underWayMax, state.underWay)
                return (state.tries, state.underWay)
            }
            defer { state.withLock { $0.underWay -= 1 } }
            _ = latch.wait(milliseconds: 60_000)
            if waitsForOthers, number > 1 {
                if underWay == threads - 1 { others.open() }
                _ = others.wait(milliseconds: 60_000)
            }
            if let server { return try server.connect(before: deadline) }
            clock.advance(milliseconds: max(0, deadline - clock.milliseconds))
            throw .lost("gone")
        }
    }

    /// Reads on a number of threads, of which one tries to connect while the others come. Returns the errors.
    private func readOnThreads(_ connector: CountingConnector) throws -> [StoreError?] {
        let settings = PostgresSettings(address: "", names: StoreNames(collections: [], counters: []))
        let server = PostgresServer(settings, connector: connector, clocks: connector.clock.clocks) { _ in }
        let (begun, ended) = (Mailbox<Void>(), Mailbox<StoreError?>())
        for _ in 0..<threads {
            try #require(
                Thread.start {
                    begun.post(())
                    do {
                        let engine = server.makeEngine()
                        try engine.read { _ = try $0.value(of: ScriptedStore.key) }
                        ended.post(nil)
                    } catch {
                        ended.post(error as? StoreError ?? .serverFailed("\(error)"))
                    }
                }
            )
        }
        for _ in 0..<threads { begun.take() }
        connector.latch.open()
        return (0..<threads).map { _ in ended.take() }
    }

    /// What one try finds holds for all requests that wait.
    @Test func failsAllRequestsAfterOneTry() throws {
        let connector = CountingConnector(to: nil)
        let errors = try readOnThreads(connector)
        #expect(errors == Array(repeating: .unavailable("gone", retryAfterSeconds: 1), count: threads))
        #expect(connector.tries == 1)
    }

    /// Once one request has connected, the others do so at the same time.
    @Test func connectsAtOnceAfterTheFirst() throws {
        let connector = CountingConnector(to: ScriptedServer(), waitsForOthers: true)
        #expect(try readOnThreads(connector) == Array(repeating: nil, count: threads))
        #expect(connector.tries == threads && connector.underWayMax == threads - 1)
    }

    /// While the server is away, one request tries each 200 milliseconds, and all fail when its time is over.
    @Test func triesOneAtATimeWhileTheServerIsAway() throws {
        let away = [ScriptedServer.Answer](repeating: .loss, count: 10_000)
        let connector = CountingConnector(to: ScriptedServer([.connection: away]))
        let errors = try readOnThreads(connector)
        #expect(errors == Array(repeating: .unavailable("the socket broke", retryAfterSeconds: 1), count: threads))
        #expect(connector.underWayMax == 1 && connector.tries == 50)
    }
}
