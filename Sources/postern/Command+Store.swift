import DirectoryStore
import Accounts
import Platform
import Service
import Store

extension Command {
    /// Prints the size of the store and the number of records.
    func showStatistics(_ options: Options) throws(CommandError) {
        if let remote = try RemoteStore.open(options, Log(level: options.logLevel)) {
            return try showStatistics(of: remote.makeEngine())
        }
        let statistics = try withEngine(options) { engine throws(StoreError) in try engine.statistics() }
        print("store         \(statistics.store ?? "") in \(statistics.directory ?? "")")
        print("transactions  \(statistics.transactions)")
        print("base          \(statistics.baseBytes) bytes")
        print("journal       \(statistics.journalBytes) bytes")
        for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
    }

    private func showStatistics(of engine: any Engine) throws(CommandError) {
        defer { engine.close() }
        do throws(StoreError) {
            let statistics = try engine.statistics()
            print("store         \(statistics.store ?? "") in PostgreSQL")
            print("entries       \(statistics.entries)")
            for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
        } catch {
            throw .store(error)
        }
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
        switch options.location {
        case .directory(let path): return path
        case .memory: throw .usage("postern \(rawValue) needs a directory")
        case .postgres:
            let instead =
                switch self {
                case .backup: "backup needs a directory; pg_dump makes a backup of a database"
                case .compact: "compact needs a directory; PostgreSQL compacts its tables automatically (VACUUM)"
                case .import:
                    "import --from needs a directory; postern export and postern import move it to a database then"
                case .salvage: "salvage needs a directory; pg_amcheck checks a database, and a backup restores it"
                default: "\(rawValue) needs a directory"
                }
            throw .usage("postern \(instead)")
        }
    }
}
