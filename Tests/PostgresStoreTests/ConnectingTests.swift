import Platform
import Store
import Synchronization
import Testing

@testable import PostgresStore

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
        private let server: ScriptedServer?
        private let state = Mutex(State())

        /// - Parameter server: what connections lead to; nil if each try lasts until the time-out, and fails.
        init(to server: ScriptedServer?) {
            self.server = server
            clock = server?.clock ?? TestClock()
        }

        var tries: Int { state.withLock { $0.tries } }
        var underWayMax: Int { state.withLock { $0.underWayMax } }

        func connect(before deadline: Int) throws(ServerFault) -> any ServerConnection {
            state.withLock { state in
                state.tries += 1
                state.underWay += 1
                state.underWayMax = max(state.underWayMax, state.underWay)
            }
            defer { state.withLock { $0.underWay -= 1 } }
            _ = latch.wait(milliseconds: 60_000)
            if let server { return try server.connect(before: deadline) }
            clock.advance(milliseconds: max(0, deadline - clock.milliseconds))
            throw .lost("gone")
        }
    }

    private static let threads = 8

    /// Reads on a number of threads, of which one tries to connect while the others come. Returns the errors.
    private func readOnThreads(_ connector: CountingConnector) throws -> [StoreError?] {
        let settings = PostgresSettings(address: "", names: StoreNames(collections: [], counters: []))
        let server = PostgresServer(settings, connector: connector, clocks: connector.clock.clocks) { _ in }
        let (begun, ended) = (Mailbox<Void>(), Mailbox<StoreError?>())
        for _ in 0..<Self.threads {
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
        for _ in 0..<Self.threads { begun.take() }
        connector.latch.open()
        return (0..<Self.threads).map { _ in ended.take() }
    }

    /// What one try finds holds for all requests that wait.
    @Test func failsAllRequestsAfterOneTry() throws {
        let connector = CountingConnector(to: nil)
        let errors = try readOnThreads(connector)
        #expect(errors == Array(repeating: .unavailable("gone", retryAfterSeconds: 1), count: Self.threads))
        #expect(connector.tries == 1)
    }

    @Test func connectsOneAfterAnother() throws {
        let connector = CountingConnector(to: ScriptedServer())
        #expect(try readOnThreads(connector) == Array(repeating: nil, count: Self.threads))
        #expect(connector.tries == Self.threads && connector.underWayMax == 1)
    }

    /// While the server is away, one request tries each 200 milliseconds, and all fail when its time is over.
    @Test func triesOneAtATimeWhileTheServerIsAway() throws {
        let away = [ScriptedServer.Answer](repeating: .loss, count: 10_000)
        let connector = CountingConnector(to: ScriptedServer([.connection: away]))
        let errors = try readOnThreads(connector)
        #expect(errors == Array(repeating: .unavailable("the socket broke", retryAfterSeconds: 1), count: Self.threads))
        #expect(connector.underWayMax == 1 && connector.tries == 50)
    }
}
