/// How the processes use a store in PostgreSQL.
package struct PostgresSettings: Sendable {
    /// A URI or key words, as libpq takes them. It may have a password.
    package var address: String
    /// How long a transaction, or the wait for a connection, may take, in seconds.
    package var timeoutSeconds = 10
    /// Whether statements are prepared. PgBouncer before version 1.21 cannot prepare them in its transaction mode.
    package var preparesStatements = true
    /// Whether a store is created if there is none.
    package var makesStore = true
    /// The names of the collections, for the views, and those of the counters, for the sequences.
    package var names: StoreNames

    package init(address: String, names: StoreNames) {
        (self.address, self.names) = (address, names)
    }
}

/// The names of what a store has.
package struct StoreNames: Sendable {
    /// The names of the collections.
    package let collections: [String]
    /// The names of the counters.
    package let counters: [String]

    package init(collections: [String], counters: [String]) {
        (self.collections, self.counters) = (collections, counters)
    }
}
