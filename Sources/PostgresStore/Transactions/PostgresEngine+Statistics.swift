package import Store
internal import Platform

extension PostgresEngine {
    package func statistics() throws(StoreError) -> StoreStatistics {
        do {
            return try read { _ throws in
                let names = server.settings.names.collections
                let totals = PreparedStatement.once(
                    "SELECT (SELECT store::text FROM postern.meta), count(*) FROM postern.entries"
                )
                let results = try fetch([totals] + names.map { Statements.count(of: $0) })
                let collections = zip(names, results.dropFirst()).map { name, result in
                    StoreStatistics.CollectionCount(name: name, records: result.rows.first?.number(0) ?? 0)
                }
                let row = results[0].rows.first
                return StoreStatistics(
                    kind: kind,
                    store: row?.text(0),
                    entries: row?.number(1) ?? 0,
                    collections: collections.filter { $0.records > 0 }.sorted { $0.name < $1.name }
                )
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .serverFailed("\(error)")
        }
    }
}
