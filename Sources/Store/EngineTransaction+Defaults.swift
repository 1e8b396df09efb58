/// Operations of engines that have all values at hand.
extension EngineTransaction {
    /// For engines that look keys up by their arrays.
    package func value(at key: UnsafeRawBufferPointer) throws(StoreError) -> StoredValue? {
        try value(of: StoreKey(bytes: Array(key)))
    }

    package func prefetch(_ announce: (inout Prefetch) -> Void) {}

    package func record(behind entry: StoreKey, prefix: [UInt8]) throws(StoreError) -> (StoreKey, StoredValue)? {
        try recordInSteps(behind: entry, prefix: prefix)
    }

    /// Looks up the entry, then the record.
    package func recordInSteps(behind entry: StoreKey, prefix: [UInt8]) throws(StoreError) -> (StoreKey, StoredValue)? {
        guard let pointer = try value(of: entry) else { return nil }
        let key = try pointer.recordKey(prefix: prefix, behind: entry)
        guard let record = try value(of: key) else { throw StoreError.noRecord(behind: entry) }
        return (key, record)
    }

    package func scanRecords(behind entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws {
        guard entries.limit > 0 else { return }
        var (skipped, visited) = (0, 0)
        let (end, isEndless) = entries.limit.addingReportingOverflow(entries.offset)
        try scan(
            from: entries.bounds.lower,
            upTo: entries.bounds.upper,
            descending: entries.descending,
            limit: isEndless ? .max : end
        ) { entry, pointer in
            guard skipped == entries.offset else {
                skipped += 1
                return true
            }
            let key = try pointer.recordKey(prefix: entries.recordPrefix, behind: entry)
            guard let record = try value(of: key) else { throw StoreError.noRecord(behind: entry) }
            try visit(key, record)
            visited += 1
            return visited < entries.limit
        }
    }
}
