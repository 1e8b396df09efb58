import Accounts
import JSON
import JSONRPC
import Mail
import Platform
import PosternTesting
import Service
import Store
import Synchronization
import Testing

/// A server in this process. Worker threads execute its requests, each with its own session over a `SharedMemory`.
final class PooledService {
    /// The settings that differ between the test with transcripts and the tests with several clients.
    struct Settings {
        var order = ReplyOrder.asCompleted
        /// Whether the clock and the random values are those of deterministic mode.
        var isDeterministic = false
        var isAdministered = false
        var accounts = AccountSettings()
        var pushesEvents = false
    }

    private let requests: Pipe
    private let replies: Pipe
    private let wakeUp: WakeUp
    private var unread: [UInt8] = []

    static let workers = 4

    init(over memory: SharedMemory, _ settings: Settings = Settings()) throws {
        requests = try Pipe()
        replies = try Pipe()
        wakeUp = try #require(WakeUp())
        let time: any TimeSource & Sendable =
            settings.isDeterministic
            ? DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)) : SystemTime()
        let random: any RandomSource & Sendable =
            settings.isDeterministic ? DeterministicRandom(seed: 7) : SystemRandom()
        let sessionUses = SessionUses()
        let makeSession: @Sendable () -> (Backend, any RequestHandler) = {
            Self.session(over: memory, time, random, sessionUses, settings)
        }
        let executor = ExecutorChoice.pooled(workers: Self.workers, handler: makeSession().1) {
            let (backend, handler) = makeSession()
            return WorkerSession(handler: handler, tasks: backend.tasks, finish: backend.finish)
        }
        let host = HostMessages(newSecret: { random.hex(bytes: 16) })
        let events =
            try settings.pushesEvents
            ? EventFeed(store: Store(engine: SharedMemorySession(memory)), host: host, from: .earliest, log: { _ in })
            : nil
        let server = Server(
            input: requests.reader,
            output: replies.writer,
            executor: executor,
            order: settings.order,
            framing: .line,
            tasks: events.map { [$0.push] } ?? [],
            host: host,
            wakeUp: wakeUp,
            isStopped: { false }
        )
        nonisolated(unsafe) let served = server
        let replies = replies
        try #require(
            Thread.start {
                try? served.run()
                replies.writer.close()
            }
        )
    }

    private static func session(
        over memory: SharedMemory,
        _ time: any TimeSource,
        _ random: any RandomSource,
        _ sessionUses: SessionUses,
        _ settings: Settings
    ) -> (Backend, any RequestHandler) {
        guard let composer = try? MessageTemplates(publicURL: "http://localhost", domain: "localhost") else {
            preconditionFailure("the embedded templates are valid")
        }
        let session = SharedMemorySession(memory)
        let backend = Backend(
            store: Store(engine: session),
            time: WatchedTime(time, session: session, memory: memory),
            random: WatchedRandom(random, session: session, memory: memory),
            composer: composer,
            settings: settings.accounts,
            sessionUses: sessionUses
        )
        let deterministicMode = (time as? DeterministicTime).map {
            SystemHandlers.DeterministicMode(time: $0, backend: backend)
        }
        let service = Service(
            backend: backend,
            system: SystemHandlers(
                version: "1",
                storeKind: "memory",
                settings: ServiceSettings(isAdministered: settings.isAdministered),
                deterministicMode: deterministicMode
            ),
            hashesElsewhere: !settings.isDeterministic,
            log: { _ in }
        )
        return (backend, service)
    }

    func send(_ request: String) {
        _ = Array((request + "\n").utf8).withUnsafeBytes { WholeWrite.run($0, to: requests.writer) }
    }

    /// Waits for the next reply; nil once the server has ended.
    func nextReply() throws -> JSONValue? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                let line = Array(unread[..<end])
                unread.removeSubrange(...end)
                return try JSONValue(parsing: line)
            }
            let count = try replies.reader.read(into: &buffer)
            guard count > 0 else { return nil }
            unread += buffer[..<count]
        }
    }

    /// Ends the input, and waits until the server has ended.
    ///
    /// - Returns: the replies that `nextReply()` has not returned.
    func finish() throws -> [JSONValue] {
        requests.writer.close()
        var rest: [JSONValue] = []
        while let reply = try nextReply() { rest.append(reply) }
        requests.reader.close()
        replies.reader.close()
        return rest
    }
}
