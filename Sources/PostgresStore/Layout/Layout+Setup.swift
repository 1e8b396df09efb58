internal import Platform
internal import Store

/// Opening a store, and creating it.
extension Layout {
    /// What a database has.
    private struct Found {
        var format: Int?
        /// The names of the tables, views and sequences in the schema.
        var names: Set<String> = []
    }

    /// Opens the store, and creates it, or the parts that an earlier version did not have, if that is allowed. A store
    /// that is complete is not locked, and no rights to create tables are needed.
    ///
    /// - Throws: `StoreError.unusable`, `.newerFormat`, `.serverFailed`; `ServerFault`.
    static func open(_ settings: PostgresSettings, on connection: any ServerConnection, before deadline: Int) throws {
        let isComplete = try missing(in: find(on: connection, before: deadline), settings)?.isEmpty
        guard isComplete != true else { return }
        guard isComplete != nil || settings.makesStore else {
            throw StoreError.unusable("there is no store in it; postern serve creates one")
        }
        do {
            _ = try connection.run(
                [
                    PreparedStatement.once("BEGIN ISOLATION LEVEL READ COMMITTED"),
                    PreparedStatement.once("SELECT pg_advisory_xact_lock($1::int8)", Parameter.number(lock)),
                ],
                before: deadline
            )
            // Another process may have created it meanwhile.
            let missing = try missing(in: find(on: connection, before: deadline), settings)
            let statements = (missing == nil ? tables : []) + (missing ?? parts(settings.names)).map(\.creation)
            _ = try connection.run(
                statements.map { PreparedStatement.once($0) } + [Statements.commit()],
                before: deadline
            )
        } catch {
            connection.post([Statements.rollback()])
            throw error
        }
    }

    /// Whether the database is marked as one for tests, and the server's time in microseconds.
    static func about(
        _ connection: any ServerConnection,
        before deadline: Int
    ) throws(ServerFault) -> (isTest: Bool, time: Int?) {
        let statement = PreparedStatement.once(
            "SELECT is_test, (extract(epoch FROM clock_timestamp()) * 1000000)::int8 FROM postern.meta"
        )
        let row = try connection.run([statement], before: deadline)[0].rows.first
        return (row?.bool(0) ?? false, row?.number(1))
    }

    /// The settings of the server that make unrelated transactions conflict, with the values that they should have: the
    /// server notes what a transaction has read, and notes whole pages or tables if it has no room for single rows.
    private static let predicateLocks = [
        ("max_pred_locks_per_transaction", 1_024), ("max_pred_locks_per_relation", 10_000),
        ("max_pred_locks_per_page", 64),
    ]

    /// A line for each setting of the server that is too low; it says what to write into postgresql.conf.
    static func missingSettings(
        on connection: any ServerConnection,
        before deadline: Int
    ) throws(ServerFault) -> [String] {
        let statements = predicateLocks.map { name, _ in
            PreparedStatement.once("SELECT current_setting($1::text)::int8", Parameter.text(name))
        }
        let results = try connection.run(statements, before: deadline)
        return zip(predicateLocks, results).compactMap { setting, result in
            // A negative number is a share of another setting, and is less than what is needed.
            guard let value = result.rows.first?.number(0), value < setting.1 else { return nil }
            return
                "unrelated requests may conflict: set \(setting.0) = \(setting.1) in postgresql.conf, which has \(value)"
        }
    }

    /// The parts that a store does not have; nil if there is no store.
    private static func missing(
        in found: Found,
        _ settings: PostgresSettings
    ) throws -> [(name: String, creation: String)]? {
        guard let format = found.format else {
            guard let name = found.names.min() else { return nil }
            throw StoreError.unusable(
                "its schema postern contains \(name) but no store; a store can be created only in a database without that "
                    + "schema, or with an empty one"
            )
        }
        guard format <= Self.format else { throw StoreError.newerFormat(format) }
        return parts(settings.names).filter { !found.names.contains($0.name) }
    }

    private static func find(on connection: any ServerConnection, before deadline: Int) throws(ServerFault) -> Found {
        let names = try connection.run(
            [
                PreparedStatement.once(
                    "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'v', 'S') "
                        + "AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'postern')"
                )
            ],
            before: deadline
        )[0].rows.compactMap { $0.text(0) }
        guard names.contains("meta"), names.contains("entries") else { return Found(names: Set(names)) }
        let meta = try connection.run([PreparedStatement.once("SELECT format FROM postern.meta")], before: deadline)[0]
        return Found(format: meta.rows.first?.number(0), names: Set(names))
    }
}
