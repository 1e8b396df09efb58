package import Store

/// Compares the entries that an import of the store's own records would make with those that the store has.
package final class PostgresComparison: ImportDestination {
    private var cursor: EntryCursor
    private var stored: (key: StoreKey, value: StoredValue)?
    private let report: (String) -> Void
    /// The number of entries that were compared.
    package private(set) var entries = 0

    /// - Parameter report: takes each difference, as a sentence without the full stop.
    package init(with snapshot: PostgresSnapshot, report: @escaping (String) -> Void) throws(StoreError) {
        cursor = snapshot.entries
        self.report = report
        stored = try cursor.next()
    }

    package func append(_ key: [UInt8], _ value: [UInt8], isErasable: Bool) throws(StoreError) {
        // Counters are sequences.
        guard !key.starts(with: StoreKey.counterPrefix) else { return }
        entries += 1
        let key = StoreKey(bytes: key)
        while let entry = stored, entry.key < key { try reportExtra(entry.key) }
        guard let entry = stored, entry.key == key else { return report("\(key.text): the entry is missing") }
        if entry.value.bytes != value { report("\(key.text): the entry has another value") }
        stored = try cursor.next()
    }

    package func finish() throws(StoreError) {
        while let entry = stored { try reportExtra(entry.key) }
    }

    package func discard() {}

    private func reportExtra(_ key: StoreKey) throws(StoreError) {
        report("\(key.text): an index entry without its record")
        stored = try cursor.next()
    }
}
