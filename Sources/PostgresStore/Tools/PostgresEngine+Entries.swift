package import Store

extension PostgresEngine {
    /// Runs `body` on one state of the store, for tools that read all of it.
    package func withSnapshot<Value>(_ body: (PostgresSnapshot) throws -> Value) throws -> Value {
        try run([Statements.begin(.reading)])
        // If the connection is lost, the server ends the transaction.
        defer { _ = try? run([Statements.rollback()]) }
        return try body(PostgresSnapshot(engine: self))
    }
}

extension PostgresEngine: EntrySource {
    package func forEachEntry(_ visit: (StoreKey, StoredValue) throws -> Void) throws {
        try withSnapshot { try $0.forEachEntry(visit) }
    }
}

/// One state of a store, which is read in bounded memory.
package struct PostgresSnapshot: EntrySource {
    fileprivate let engine: PostgresEngine

    /// Visits the counters, then the entries in the order of their keys.
    package func forEachEntry(_ visit: (StoreKey, StoredValue) throws -> Void) throws {
        for counter in engine.server.settings.names.counters.sorted() {
            let last = try engine.run([Statements.lastNumber(of: counter)])[0].rows.first
            guard let number = last?.number(0) else { continue }
            try visit(StoreKey.counter(counter), StoredValue(number: number))
        }
        var cursor = entries
        while let entry = try cursor.next() { try visit(entry.key, entry.value) }
    }

    /// The entries in the order of their keys.
    var entries: EntryCursor { EntryCursor(engine) }
}

/// The entries of a store one after another, within a transaction.
struct EntryCursor {
    private let engine: PostgresEngine
    private var page: ArraySlice<(key: StoreKey, value: StoredValue)> = []
    private var start: StoreKey? = StoreKey(bytes: [])

    /// How many entries are in memory at a time.
    private static let pageEntries = 2_000

    fileprivate init(_ engine: PostgresEngine) {
        self.engine = engine
    }

    /// The next entry; nil after the last one.
    mutating func next() throws(StoreError) -> (key: StoreKey, value: StoredValue)? {
        if page.isEmpty, let start {
            let scan = Statements.scan(descending: false)
            let group = [scan(start.bytes, StoreKey.end.bytes, Parameter.number(Self.pageEntries))]
            let rows = try engine.run(group)[0].rows
            page =
                rows.compactMap { row in
                    guard let key = row[0], let value = row[1] else { return nil }
                    return (StoreKey(bytes: key), StoredValue(bytes: value))
                }[...]
            self.start = rows.count == Self.pageEntries ? page.last.map { StoreKey(bytes: $0.key.bytes + [0]) } : nil
        }
        return page.popFirst()
    }
}
