/// Bringing what an earlier version wrote to its present form, in transactions of a bounded size.
extension Store {
    /// How many records, or entries of an index, a transaction updates.
    static let updatedRecordsMax = 10_000

    /// Removes the records of a type that this version of the type does not read, as an earlier one wrote them. They must
    /// have been in no index.
    package func deleteUnreadable<R: Record>(_ type: R.Type) throws {
        try update(R.collection.name, StoreKey.recordIndex) { tx, key, value in
            if !tx.isReadable(value, as: type, at: key) { try tx.engine.remove(key) }
        }
    }

    /// Makes the entries of a type's indexes those that its records have by now: an index may be new, or leave records out
    /// that it had. Counts that the store has not kept yet are made.
    package func correctEntries<R: Record>(of type: R.Type) throws {
        for index in R.collection.indexes {
            try update(R.collection.name, index.name) { tx, entry, value in
                guard let record = try tx.record(behind: value, at: entry, as: type), index.entry(of: record) == entry
                else { return try tx.removeEntry(entry, in: index) }
            }
        }
        try update(R.collection.name, StoreKey.recordIndex) { tx, key, value in
            let record: StoredRecord<R> = try tx.storedRecord(value, at: key)
            for index in R.collection.indexes {
                guard let entry = index.entry(of: record) else { continue }
                if try tx.engine.value(of: entry) == nil {
                    try tx.add(tx.values.entry(pointingAt: record.record.key), at: entry, in: index)
                }
                try tx.makeCount(of: entry, in: index)
            }
        }
    }

    /// Calls `body` with each entry of an index, or each record, that is there when its turn comes.
    private func update(
        _ collection: String,
        _ index: String,
        _ body: (Transaction, StoreKey, StoredValue) throws -> Void
    ) throws {
        let bounds = KeyBounds(collection: collection, index: index, prefix: nil, from: nil)
        var next: StoreKey? = bounds.lower
        while let start = next {
            next = try write { tx in
                var page: [(key: StoreKey, value: StoredValue)] = []
                var next: StoreKey?
                try tx.engine.scan(from: start, upTo: bounds.upper, descending: false) { key, value in
                    if page.count == Self.updatedRecordsMax { next = key } else { page.append((key, value)) }
                    return next == nil
                }
                for (key, value) in page { try body(tx, key, value) }
                return next
            }
            try makeDurable()
        }
    }
}

extension Transaction {
    fileprivate func isReadable<R: Record>(_ value: StoredValue, as type: R.Type, at key: StoreKey) -> Bool {
        do {
            let _: StoredRecord<R> = try storedRecord(value, at: key)
            return true
        } catch {
            return false
        }
    }

    /// The record that an entry points at, or nil where it is gone.
    fileprivate func record<R: Record>(
        behind entry: StoredValue,
        at key: StoreKey,
        as type: R.Type
    ) throws -> StoredRecord<R>? {
        try stored(type, pointedAt(by: entry, at: key))
    }
}
