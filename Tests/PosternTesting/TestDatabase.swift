#if Postgres
    import Platform
    package import Store
    import Synchronization

    @testable package import PostgresStore

    /// A new database on the server that tests use, whose address is in TEST_POSTGRES: `postgres://postgres@/?host=…`.
    package struct TestDatabase: Sendable {
        /// Its URI.
        package let address: String

        private static let created = Atomic(0)

        /// Whether there is a server.
        package static var isAvailable: Bool { serverAddress != nil }

        private static var serverAddress: String? { ProcessEnvironment.value(of: "TEST_POSTGRES")?.text }

        package init() throws {
            guard let server = Self.serverAddress else { throw StoreError.noStore("TEST_POSTGRES") }
            let number = Self.created.wrappingAdd(1, ordering: .relaxed).newValue
            let name = "test_\(CurrentProcess.number)_\(number)"
            func address(of database: String) -> String { server.replacing("@/?", with: "@/\(database)?") }
            self.address = address(of: name)
            try run("CREATE DATABASE \(name)", in: address(of: "postgres"))
        }

        /// Runs a statement in the database.
        package func run(_ sql: String) throws { try run(sql, in: address) }

        /// Runs `body` while a connection holds an advisory lock.
        package func withLock<Value>(_ lock: Int, _ body: () throws -> Value) throws -> Value {
            let connection = try Self.connect(to: address)
            defer { connection.close() }
            let statement = PreparedStatement.once("SELECT pg_advisory_lock($1::int8)", Parameter.number(lock))
            _ = try connection.run([statement], before: nil)
            return try body()
        }

        /// How many connections to the database wait for an advisory lock.
        package var connectionsWaitingForLocks: Int {
            get throws {
                try number(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                )
            }
        }

        /// The number that a query finds in the database.
        package func number(_ sql: String) throws -> Int {
            guard let number = try run(sql, in: address).rows.first?.number(0) else {
                throw StoreError.serverFailed("no number: \(sql)")
            }
            return number
        }

        @discardableResult
        private func run(_ sql: String, in address: String) throws -> StatementResult {
            let connection = try Self.connect(to: address)
            defer { connection.close() }
            return try connection.run([PreparedStatement.once(sql)], before: nil)[0]
        }

        private static func connect(to address: String) throws -> any ServerConnection {
            try LibpqConnector(address: address, prepares: false).connect(before: .max)
        }

        /// Creates a store that deterministic mode may use.
        package func makeTestStore() throws {
            let process = try PosternProcess(["--data", address])
            guard process.finish() == "" else { throw StoreError.noStore(address) }
            try run("UPDATE postern.meta SET is_test = true")
        }

        /// Opens the store in it, and creates it if there is none.
        package func open(_ names: StoreNames) throws(StoreError) -> PostgresServer {
            try PostgresServer.open(PostgresSettings(address: address, names: names)) { _ in }
        }
    }
#endif
