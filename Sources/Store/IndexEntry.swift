internal import JSON

/// An entry that a record has in one of its collection's indexes.
struct IndexEntry: Equatable {
    let index: String
    let key: StoreKey

    static func all<R: Record>(of record: R) -> [IndexEntry] {
        let collection = R.collection
        func entry(_ index: String, _ key: Key?) -> IndexEntry? {
            key.map { IndexEntry(index: index, key: StoreKey(collection: collection.name, index: index, key: $0)) }
        }
        return collection.unique.compactMap { entry($0.name, $0.key(record)) }
            + collection.ordered.compactMap { entry($0.name, $0.key(record)) }
    }

    /// What an entry holds: its record's key.
    static func value(pointingAt key: Key) -> [UInt8] {
        var writer = JSONWriter(capacity: 32)
        writer.string(key.text)
        return writer.take()
    }
}
