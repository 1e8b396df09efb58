import DirectoryStore
import Accounts
import Platform
import Service
import Store

extension Command {
    /// Prints the sizes of the store's files and the number of records.
    func showStatistics(_ options: Options) throws(CommandError) {
        let statistics = try withEngine(options) { engine throws(StoreError) in try engine.statistics() }
        print("store         \(statistics.store ?? "") in \(statistics.directory ?? "")")
        print("transactions  \(statistics.transactions)")
        print("base          \(statistics.baseBytes) bytes")
        print("journal       \(statistics.journalBytes) bytes")
        for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
    }

    /// Runs compaction: merges the journal into a new base.
    func compact(_ options: Options) throws(CommandError) {
        let bar = ProgressBar()
        defer { bar.end() }
        let isCompacted = try withEngine(options) { engine throws(StoreError) in
            try engine.compact { bar.show(ToolProgress(phase: "compacting", done: $0, total: nil)) }
        }
        guard isCompacted else { throw .failed("another process is already running compaction") }
    }

    /// Writes a consistent copy of the store to a new directory.
    func backUp(_ options: Options) throws(CommandError) {
        let bar = ProgressBar()
        defer { bar.end() }
        try withEngine(options) { engine throws(StoreError) in
            try engine.backUp(to: options.paths[0], progress: bar.show)
        }
    }

    /// Runs `body` with the store's engine, without the account APIs, and closes the engine. It does not create a
    /// store.
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

    /// The store's directory, for a command that does not work on a store in memory.
    func directory(_ options: Options) throws(CommandError) -> SystemString {
        guard options.data != ":memory:" else { throw .usage("postern \(rawValue) needs a directory") }
        return options.data
    }
}
