internal import JSON

/// An entry that a record has in one of its collection's indexes.
struct IndexEntry: Equatable {
    let index: String
    let key: StoreKey

    static func all<R: Record>(of record: R) -> [IndexEntry] {
        var entries: [IndexEntry] = []
        for index in R.collection.indexes {
            guard let key = index.key(record) else { continue }
            entries.append(IndexEntry(index: index.name, key: StoreKey(prefix: index.prefix, key)))
        }
        return entries
    }

    /// What an entry holds: its record's key.
    static func value(pointingAt key: Key) -> [UInt8] {
        var writer = JSONWriter(capacity: 32)
        writer.string(key.text)
        return writer.take()
    }
}
