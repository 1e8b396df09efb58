import Store
import Synchronization

@testable import PostgresStore

/// An engine over a server that answers from a script.
struct ScriptedStore {
    let server: ScriptedServer
    let process: PostgresServer
    let engine: PostgresEngine
    private let lines: Lines

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    /// The time-out of requests.
    static let timeoutMilliseconds = 10_000

    init(
        _ script: [ScriptedServer.Event: [ScriptedServer.Answer]] = [:],
        entries: [StoreKey: String] = [:],
        hasSessionSettings: Bool = false
    ) {
        server = ScriptedServer(script, entries: entries, hasSessionSettings: hasSessionSettings)
        let lines = Lines()
        self.lines = lines
        var settings = PostgresSettings(address: "", names: StoreNames(collections: [], counters: []))
        settings.timeoutSeconds = Self.timeoutMilliseconds / 1_000
        process = PostgresServer(settings, connector: server, clocks: server.clock.clocks) { line in
            lines.all.withLock { $0.append(line) }
        }
        engine = process.makeEngine()
    }

    /// What was logged.
    var log: [String] { lines.all.withLock { $0 } }

    static let key = StoreKey(bytes: Array("people/id/1".utf8))
    static let value = Array(#""a""#.utf8)

    /// How a transaction ended.
    struct Outcome: Equatable {
        /// How often its closure has run.
        var runs = 0
        var error: StoreError?
    }

    /// Reads keys one after another.
    func read(_ keys: StoreKey...) -> Outcome {
        outcome { runs in
            try engine.read { transaction in
                runs += 1
                for key in keys.isEmpty ? [Self.key] : keys { _ = try transaction.value(of: key) }
            }
        }
    }

    /// Reads keys with the same group of statements, and then others one after another.
    func readAtOnce(_ keys: [StoreKey], then others: [StoreKey]) -> Outcome {
        outcome { runs in
            try engine.read { transaction in
                runs += 1
                for key in keys { engine.view.want(key) }
                for key in keys + others { _ = try transaction.value(of: key) }
            }
        }
    }

    /// Reads a key, and sets it.
    func write() -> Outcome {
        outcome { runs in
            try engine.write { transaction in
                runs += 1
                _ = try transaction.value(of: Self.key)
                try transaction.put(StoredValue(bytes: Self.value), at: Self.key, isErasable: false)
            }
        }
    }

    /// Inserts a key without reading it.
    func insert() -> Outcome {
        outcome { runs in
            try engine.write { transaction in
                runs += 1
                let value = StoredValue(bytes: Self.value)
                guard try transaction.insert(value, at: Self.key, isErasable: false) else {
                    throw StoreError.duplicate(index: "id")
                }
            }
        }
    }

    private func outcome(of transaction: (inout Int) throws -> Void) -> Outcome {
        var outcome = Outcome()
        do {
            try transaction(&outcome.runs)
        } catch {
            outcome.error = error as? StoreError ?? .serverFailed("\(error)")
        }
        return outcome
    }
}
