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

        private func run(_ sql: String, in address: String) throws {
            let connection = try LibpqConnector(address: address, prepares: false).connect(before: .max)
            defer { connection.close() }
            _ = try connection.run([PreparedStatement.once(sql)], before: nil)
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
