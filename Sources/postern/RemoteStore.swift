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
    /// The database's store; nil if the location is not a database.
    static func open(_ options: Options, _ log: Log) throws(CommandError) -> RemoteStore? {
        guard case .postgres(let address) = options.location else { return nil }
        #if Postgres
            let types = RecordTypes.all
            let names = StoreNames(
                collections: types.map(\.collection),
                counters: Set(types.flatMap(\.counters)).sorted()
            )
            var settings = PostgresSettings(address: address, names: names)
            settings.timeoutSeconds = options.storeTimeoutSeconds
            settings.preparesStatements = options.preparesStatements
            settings.makesStore = options.command == .serve
            do throws(StoreError) {
                let server = try PostgresServer.open(settings) { log.write(.warning, "store: \($0)") }
                guard options.deterministicMode == nil || server.isTest else {
                    throw StoreError.serverFailed("--clock and --seed need a database whose postern.meta has is_test")
                }
                return RemoteStore(
                    makeEngine: { server.makeEngine() },
                    time: SystemTime { server.clock.microseconds }
                )
            } catch {
                throw .store(error)
            }
        #else
            throw .failed(
                "this build has no PostgreSQL (\(address.prefix { $0 != ":" }):); make release-postgres builds one that has"
            )
        #endif
    }
}
