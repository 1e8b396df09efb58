#if Postgres
    package import Store

    extension PostgresServer {
        /// Connects to the server, and opens or creates the store. It waits for the server as long as a request does.
        ///
        /// - Parameter log: takes one line, without secrets, for an administrator.
        /// - Throws: `StoreError.unavailable`, `.newerFormat`, `.serverFailed`, `.unusable`.
        package static func open(
            _ settings: PostgresSettings,
            log: @escaping @Sendable (String) -> Void
        ) throws(StoreError) -> PostgresServer {
            let connector = LibpqConnector(address: settings.address, prepares: settings.preparesStatements)
            let server = PostgresServer(settings, connector: connector, log: log)
            try server.openStore()
            return server
        }
    }
#endif
