/// Migrations: converting data of an earlier version to the current form, in transactions of limited size.
extension Store {
    /// The maximum number of records, or of entries of an index, that one transaction processes.
    package static let updatedRecordsMax = 10_000

    /// Removes the records of a type that the current version of the type cannot decode, because an earlier version
    /// wrote them. They must not have index entries.
    package func deleteUnreadable<R: Record>(_ type: R.Type) throws {
        try update(R.collection.name, StoreKey.recordIndex) { tx, key, value in
            if !tx.isReadable(value, as: type, at: key) { try tx.engine.remove(key) }
        }
    }

    /// Updates the entries of a type's indexes to match its records: an index may be new, or may omit records that it
    /// had before. Missing counts are added.
    ///
    /// - Returns: the number of records.
    @discardableResult
    package func correctEntries<R: Record>(of type: R.Type) throws -> Int {
        for index in R.collection.indexes {
            try update(R.collection.name, index.name) { tx, entry, value in
                guard let record = try tx.record(behind: value, at: entry, as: type), index.entry(of: record) == entry
                else { return try tx.removeEntry(entry, in: index) }
            }
        }
        var records = 0
        try update(R.collection.name, StoreKey.recordIndex) { tx, key, value in
            records += 1
            let record: StoredRecord<R> = try tx.storedRecord(value, at: key)
            for index in R.collection.indexes {
                guard let entry = index.entry(of: record) else { continue }
                if try tx.engine.value(of: entry) == nil {
                    try tx.add(tx.values.entry(pointingAt: record.record.key), at: entry, in: index)
                }
                try tx.makeCount(of: entry, in: index)
            }
        }
        return records
    }

    /// Calls `body` with each entry of an index, or with each record, that exists at the time.
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
                try tx.engine.scan(
                    from: start,
                    upTo: bounds.upper,
                    descending: false,
                    limit: Self.updatedRecordsMax + 1
                ) { key, value in
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

    /// The record to which an entry points; nil if it does not exist.
    fileprivate func record<R: Record>(
        behind entry: StoredValue,
        at key: StoreKey,
        as type: R.Type
    ) throws -> StoredRecord<R>? {
        let recordKey = try entry.recordKey(prefix: R.collection.recordPrefix, behind: key)
        return try engine.value(of: recordKey).map { try storedRecord($0, at: recordKey) }
    }
}
