internal import JSON

/// Typed records over one transaction of the key space.
///
/// It is valid only in the closure that gets it. The closure may be run again, so it must have no effects except
/// through the transaction.
package struct Transaction {
    let engine: any EngineTransaction
    let context: TransactionContext
    var values: ValueWriter { context.values }

    // MARK: Reading

    /// The record with the given key.
    package func get<R: Record>(_ type: R.Type, _ key: consuming Key) throws -> R? {
        let storeKey = StoreKey(R.self, key)
        guard let value = try engine.value(of: storeKey) else { return nil }
        return try decode(value, at: storeKey)
    }

    /// The record whose key has this component, as the store caches it. It is for callers that need a few properties
    /// and no copy of the record. If the record was read before, no memory is allocated.
    package func stored<R: Record, Only: ShortKeyComponent>(_ type: R.Type, at only: Only) throws -> StoredRecord<R>? {
        var key = KeyWriter(memory: context.keyMemory)
        key.append(R.collection.recordPrefix)
        only.append(to: &key)
        guard let value = try engine.value(at: key.bytes) else { return nil }
        return try storedRecord(value, at: StoreKey(R.self, Key(only)))
    }

    /// The same of a key with two components.
    package func stored<R: Record, First: ShortKeyComponent, Second: ShortKeyComponent>(
        _ type: R.Type,
        at first: First,
        _ second: Second
    ) throws -> StoredRecord<R>? {
        var key = KeyWriter(memory: context.keyMemory)
        key.append(R.collection.recordPrefix)
        first.append(to: &key)
        key.append(UInt8(ascii: "/"))
        second.append(to: &key)
        guard let value = try engine.value(at: key.bytes) else { return nil }
        return try storedRecord(value, at: StoreKey(R.self, Key(first, second)))
    }

    /// Announces what will be read, so that an engine that asks a server for it asks once. An engine with the values at
    /// hand does not call the closure.
    package func prefetch(_ announce: (inout Prefetch) -> Void) {
        engine.prefetch(announce)
    }

    /// The record with the given key in a unique index.
    package func find<R: Record>(_ index: UniqueIndex<R>, _ key: consuming Key) throws -> R? {
        let storeKey = index.entry(of: key)
        guard let (key, value) = try engine.record(behind: storeKey, prefix: R.collection.recordPrefix) else {
            return nil
        }
        return try decode(value, at: key)
    }

    /// The records of an ordered index whose keys start with `prefix`, in the order of their keys.
    ///
    /// - Parameters:
    ///   - index: the index to scan.
    ///   - prefix: the first components of the keys; nil for the whole index.
    ///   - lower: the lowest key of the result; nil starts at the first key with the prefix.
    ///   - upper: the lowest key after the result, which is not in it; nil ends at the last key with the prefix.
    ///   - descending: whether the result is in descending order.
    ///   - offset: how many entries to skip first. Their records are not read.
    ///   - limit: the maximum number of records.
    package func scan<R: Record>(
        _ index: OrderedIndex<R>,
        prefix: Key? = nil,
        from lower: Key? = nil,
        before upper: Key? = nil,
        descending: Bool = false,
        offset: Int = 0,
        limit: Int = .max
    ) throws -> [R] {
        let entries = IndexScan(
            of: index,
            prefix: prefix,
            from: lower,
            before: upper,
            descending: descending,
            offset: offset,
            limit: limit
        )
        var records: [R] = []
        try engine.scanRecords(behind: entries) { key, value in records.append(try decode(value, at: key)) }
        return records
    }

    /// All records of a type whose keys start with `prefix`, in the order of their keys.
    ///
    /// - Parameters:
    ///   - lower: the lowest key of the result; nil starts at the first key with the prefix.
    ///   - descending: whether the result is in descending order.
    ///   - limit: the maximum number of records.
    package func all<R: Record>(
        _ type: R.Type,
        prefix: Key? = nil,
        from lower: Key? = nil,
        descending: Bool = false,
        limit: Int = .max
    ) throws -> [R] {
        let bounds = KeyBounds(collection: R.collection.name, index: StoreKey.recordIndex, prefix: prefix, from: lower)
        var records: [R] = []
        guard limit > 0 else { return records }
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: descending, limit: limit) {
            key,
            value in
            records.append(try decode(value, at: key))
            return records.count < limit
        }
        return records
    }

    // MARK: Writing

    /// Adds a record.
    ///
    /// - Throws: `StoreError.duplicate` if its key, or its key in an index, is taken.
    package func insert<R: Record>(_ record: consuming R) throws {
        let (collection, key) = (R.collection, record.key)
        try insert(collection.stored(record), key, in: collection)
    }

    /// Replaces the record with the same key.
    ///
    /// - Throws: `StoreError.missing` if it does not exist; `StoreError.duplicate` if a new index key is taken.
    package func update<R: Record>(_ record: consuming R) throws {
        let (collection, key) = (R.collection, record.key)
        let storeKey = StoreKey(prefix: collection.recordPrefix, key)
        let after = collection.stored(record)
        try engine.change(storeKey, isErasable: collection.isErasable) { value in
            guard let value else { throw StoreError.missing(key: storeKey.text) }
            let before: StoredRecord<R> = try storedRecord(value, at: storeKey)
            try moveEntries(of: key, from: before, to: after, in: collection)
            return values.record(after)
        }
    }

    /// Adds a record, or replaces the record with the same key.
    package func save<R: Record>(_ record: R) throws {
        let key = StoreKey(of: record)
        if try engine.value(of: key) == nil { try insert(record) } else { try update(record) }
    }

    /// Removes a record if it exists.
    package func delete<R: Record>(_ type: R.Type, _ key: consuming Key) throws {
        let storeKey = StoreKey(R.self, key)
        guard let value = try engine.value(of: storeKey) else { return }
        let collection = R.collection
        let record: StoredRecord<R> = try storedRecord(value, at: storeKey)
        for index in collection.indexes {
            if let entry = index.entry(of: record) { try removeEntry(entry, in: index) }
        }
        try engine.remove(storeKey)
    }

    /// Whether a number of a counter tells the order of the transactions that drew one: a transaction with a higher
    /// number commits later.
    package var ordersNumbers: Bool { context.ordersNumbers }

    /// The number of a collection's next record, from 1 on. No number is given twice.
    package func nextNumber<R: Record>(of type: R.Type) throws -> Int {
        guard let counter = R.collection.counter else { preconditionFailure("\(R.collection.name) is not numbered") }
        return try next(counter)
    }

    /// The next number of a counter, from 1 on. No number is given twice.
    package func next(_ counter: Counter) throws -> Int {
        try engine.next(counter)
    }

    /// Asks for work that is done once this transaction is durable, and not at all if it is undone.
    package func afterwards(_ work: FollowUps) {
        context.followUps.current.formUnion(work)
    }

    // MARK: Records and entries

    // None of these functions is generic, so none looks up types at run time.

    private func insert(_ record: AnyStoredRecord, _ key: Key, in collection: AnyCollection) throws {
        let storeKey = StoreKey(prefix: collection.recordPrefix, key)
        guard try engine.insert(values.record(record), at: storeKey, isErasable: collection.isErasable) else {
            throw StoreError.duplicate(index: StoreKey.recordIndex)
        }
        guard !collection.indexes.isEmpty else { return }
        let value = values.entry(pointingAt: key)
        for index in collection.indexes {
            if let entry = index.entry(of: record) { try add(value, at: entry, in: index) }
        }
    }

    /// Updates the index entries of the record with that key. It removes old entries first, then adds new ones.
    private func moveEntries(
        of key: Key,
        from before: AnyStoredRecord,
        to after: AnyStoredRecord,
        in collection: AnyCollection
    ) throws {
        var added: [(entry: StoreKey, index: CollectionIndex)] = []
        for index in collection.indexes {
            guard let move = index.move(from: before, to: after) else { continue }
            if let entry = move.from { try removeEntry(entry, in: index) }
            if let entry = move.to { added.append((entry, index)) }
        }
        guard !added.isEmpty else { return }
        let value = values.entry(pointingAt: key)
        for (entry, index) in added { try add(value, at: entry, in: index) }
    }

    func add(_ value: StoredValue, at entry: StoreKey, in index: CollectionIndex) throws {
        guard try engine.insert(value, at: entry, isErasable: false) else {
            throw StoreError.duplicate(index: index.name)
        }
        if index.isCounted { try keepCount(1, of: entry, in: index) }
    }

    func removeEntry(_ entry: StoreKey, in index: CollectionIndex) throws {
        guard index.isCounted else { return try engine.remove(entry) }
        // If the entry is missing because the store is damaged, the count must not be lowered.
        guard try engine.value(of: entry) != nil else { return }
        try engine.remove(entry)
        try keepCount(-1, of: entry, in: index)
    }

    private func decode<R: Record>(_ value: StoredValue, at key: StoreKey) throws -> R {
        try storedRecord(value, at: key).record
    }

    /// - Parameter key: the value's key, for the error if the value is damaged.
    func storedRecord<R: Record>(_ value: StoredValue, at key: @autoclosure () -> StoreKey) throws -> StoredRecord<R> {
        if let decoded = value.decoded, decoded.type == ObjectIdentifier(R.self) {
            // The record was decoded by an earlier read.
            return decoded.as(R.self)
        }
        // The result has no generic type, because each function that returns a generic result would look up its type at
        // run time. That takes as long as half of the reading.
        let decoded: AnyStoredRecord = try value.decoding(at: key()) { reader throws(JSONError) in
            R.collection.stored(try R(reading: &reader))
        }
        value.decoded = decoded
        return decoded.as(R.self)
    }
}
