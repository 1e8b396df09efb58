import Accounts
import Platform
import Service
import Store

extension Command {
    /// Counts what the store holds.
    func showStatistics(_ options: Options) throws(CommandError) {
        let statistics = try withEngine(options) { engine throws(StoreError) in try engine.statistics() }
        print("store         \(statistics.store ?? "") in \(statistics.directory ?? "")")
        print("transactions  \(statistics.transactions)")
        print("base          \(statistics.baseBytes) bytes")
        print("journal       \(statistics.journalBytes) bytes")
        for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
    }

    /// Merges the journal into a new base.
    func merge(_ options: Options) throws(CommandError) {
        let bar = ProgressBar()
        defer { bar.end() }
        let isMerged = try withEngine(options) { engine throws(StoreError) in
            try engine.merge { bar.show(ToolProgress(phase: "merging", done: $0, total: nil)) }
        }
        guard isMerged else { throw .failed("another process is merging already") }
    }

    /// Writes a copy of the store.
    func backUp(_ options: Options) throws(CommandError) {
        let bar = ProgressBar()
        defer { bar.end() }
        try withEngine(options) { engine throws(StoreError) in
            try engine.backUp(to: options.paths[0], progress: bar.show)
        }
    }

    /// Uses the store's engine, without the account APIs above it, and closes it. A store that is not there is not made.
    func withEngine<Value>(
        _ options: Options,
        _ body: (LocalEngine) throws(StoreError) -> Value
    ) throws(CommandError) -> Value {
        let path = try directory(options)
        var settings = options.store
        settings.makesStore = false
        do throws(StoreError) {
            let log = Log(level: options.logLevel)
            let engine = try LocalEngine(directory: path, settings: settings) { log.write(.warning, $0) }
            defer { engine.close() }
            return try body(engine)
        } catch {
            throw .store(error)
        }
    }

    /// The directory that a command works on which has nothing to do in memory.
    func directory(_ options: Options) throws(CommandError) -> SystemString {
        guard options.data != ":memory:" else { throw .usage("postern \(rawValue) needs a directory") }
        return options.data
    }
}
