import Accounts
import Store

#if Postgres
    import PostgresStore
#endif

/// A store on a server. Each thread has an engine of its own.
struct RemoteStore: Sendable {
    /// Makes an engine for the calling thread.
    let makeEngine: @Sendable () -> any Engine
    /// The server's clock.
    let time: SystemTime
    /// Calls its argument with one state of the store, for an export.
    let readAll: @Sendable (_ body: (any EntrySource) throws -> Void) throws -> Void
    /// Where an import writes to.
    let makeDestination: @Sendable () throws(StoreError) -> any ImportDestination
    /// Compares the store with the entries that an import of its export would make, while `body` makes that import.
    /// Returns the number of entries.
    let compare:
        @Sendable (
            _ body: (any EntrySource, any ImportDestination) throws -> Void,
            _ report: @escaping (String) -> Void
        ) throws -> Int

    /// The database's store; nil if the location is not a database.
    static func open(_ options: Options, _ log: Log) throws(CommandError) -> RemoteStore? {
        guard let address = options.location.address else { return nil }
        #if Postgres
            let types = RecordTypes.all
            let names = StoreNames(
                collections: types.map(\.collection),
                counters: Set(types.flatMap(\.counters)).sorted()
            )
            var settings = PostgresSettings(address: address, names: names)
            settings.timeoutSeconds = options.storeTimeoutSeconds
            settings.preparesStatements = options.preparesStatements
            settings.makesStore = options.command == .serve || options.command == .import
            do throws(StoreError) {
                let server = try PostgresServer.open(settings) { log.write(.warning, "store: \($0)") }
                guard options.deterministicMode == nil || server.isTest else {
                    throw StoreError.unusable("--clock and --seed need one whose postern.meta has is_test")
                }
                return RemoteStore(
                    makeEngine: { server.makeEngine() },
                    time: SystemTime { server.clock.microseconds },
                    readAll: { body in
                        let engine = server.makeEngine()
                        defer { engine.close() }
                        try engine.withSnapshot { try body($0) }
                    },
                    makeDestination: { () throws(StoreError) in try PostgresImport(into: server.makeEngine()) },
                    compare: { body, report in
                        let engine = server.makeEngine()
                        defer { engine.close() }
                        return try engine.withSnapshot { snapshot in
                            let comparison = try PostgresComparison(with: snapshot, report: report)
                            try body(snapshot, comparison)
                            return comparison.entries
                        }
                    }
                )
            } catch {
                throw .store(error)
            }
        #else
            throw .failed("this build has no PostgreSQL; make release-postgres makes one that has")
        #endif
    }
}
