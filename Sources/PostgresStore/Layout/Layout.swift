/// What a store has in a database: the schema `postern` with one table for all entries.
///
///     entries    key, value: the key space, as in a directory
///     commits    the marks of transactions, by which the outcome of one is found after the connection was lost
///     meta       one row: the format, the store's UUID, and whether the database is for tests
///     next_…     a sequence for each counter
///     …          a view for each collection, for people: it cannot be written
enum Layout {
    /// The format that this version writes and reads.
    static let format = 1
    /// The number of the lock under which a store is created: the bytes of `postern`.
    static let lock = 0x706F_7374_6572_6E

    /// The name of a counter's sequence, with its schema.
    static func sequence(of counter: String) -> String { "postern.\(quoted("next_" + identifier(counter)))" }

    /// The tables of a new store.
    ///
    /// A tenth of each page of entries is left free, so that a changed value stays on its page and its key in its place
    /// in the index. In a store that was just imported, the pages would be full, and changes of accounts that are
    /// neighbours in the index would conflict.
    static let tables = [
        "CREATE SCHEMA IF NOT EXISTS postern",
        "CREATE TABLE postern.entries (key bytea PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 90)",
        "CREATE TABLE postern.commits (id bytea PRIMARY KEY, fenced boolean NOT NULL)",
        """
        CREATE TABLE postern.meta (number int PRIMARY KEY CHECK (number = 1), format int8 NOT NULL, \
        store uuid NOT NULL, is_test boolean NOT NULL)
        """,
        "INSERT INTO postern.meta VALUES (1, \(format), gen_random_uuid(), false)",
    ]

    /// The sequences and the views that a store with these names has, with the statements that create them.
    static func parts(_ names: StoreNames) -> [(name: String, creation: String)] {
        names.counters.map { counter in
            // No session keeps numbers in reserve, because a lower number must not be given after a higher one.
            ("next_" + identifier(counter), "CREATE SEQUENCE \(sequence(of: counter)) CACHE 1 MINVALUE 1")
        }
            + names.collections.map { collection in
                (
                    identifier(collection),
                    "CREATE VIEW postern.\(quoted(identifier(collection))) AS \(selection(collection))"
                )
            }
    }

    /// The records of a collection. The second table has one row, and prevents that the view can be written.
    private static func selection(_ collection: String) -> String {
        let prefix = "\(collection)/id/"
        return """
            SELECT convert_from(substr(key, \(prefix.utf8.count + 1)), 'UTF8') AS key, \
            convert_from(value, 'UTF8')::json AS record FROM postern.entries, (SELECT 1) AS one \
            WHERE key >= convert_to('\(prefix)', 'UTF8') AND key < convert_to('\(collection)/id0', 'UTF8')
            """
    }

    /// A name without spaces.
    private static func identifier(_ name: String) -> String {
        String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
