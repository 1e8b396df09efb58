/// Bringing records that an earlier version wrote to their present form.
extension Transaction {
    /// Removes the records of a type that this version of the type does not read, as an earlier one wrote them. They must
    /// have been in no index.
    package func deleteUnreadable<R: Record>(_ type: R.Type) throws {
        let bounds = KeyBounds(collection: R.collection.name, index: StoreKey.recordIndex, prefix: nil, from: nil)
        var unreadable: [StoreKey] = []
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: false) { key, value in
            if !isReadable(value, as: type, at: key) { unreadable.append(key) }
            return true
        }
        for key in unreadable { try engine.remove(key) }
    }

    /// Adds the records of a type to indexes that it has got since they were written.
    package func addMissingEntries<R: Record>(_ type: R.Type) throws {
        let bounds = KeyBounds(collection: R.collection.name, index: StoreKey.recordIndex, prefix: nil, from: nil)
        var missing: [(entry: StoreKey, key: Key, index: CollectionIndex)] = []
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: false) { key, value in
            let record: StoredRecord<R> = try storedRecord(value, at: key)
            for index in R.collection.indexes {
                guard let entry = index.entry(of: record), try engine.value(of: entry) == nil else { continue }
                missing.append((entry, record.record.key, index))
            }
            return true
        }
        for (entry, key, index) in missing { try add(values.entry(pointingAt: key), at: entry, in: index) }
    }

    private func isReadable<R: Record>(_ value: StoredValue, as type: R.Type, at key: StoreKey) -> Bool {
        do {
            let _: StoredRecord<R> = try storedRecord(value, at: key)
            return true
        } catch {
            return false
        }
    }
}
