import JSON

/// Typed records over one transaction of the key space.
///
/// It is valid only in the closure that gets it. The closure may be run again, so it must have no effects except
/// through the transaction.
package struct Transaction {
    let engine: any EngineTransaction
    let values: ValueWriter

    // MARK: Reading

    /// The record with the given key.
    package func get<R: Record>(_ type: R.Type, _ key: consuming Key) throws -> R? {
        try stored(type, key)?.record
    }

    /// The record with the given key, as the store caches it. It is for callers that need a few properties and no copy
    /// of the record.
    package func stored<R: Record>(_ type: R.Type, _ key: consuming Key) throws -> StoredRecord<R>? {
        let storeKey = StoreKey(R.self, key)
        guard let value = try engine.value(of: storeKey) else { return nil }
        return try storedRecord(value, at: storeKey)
    }

    /// The record with the given key in a unique index.
    package func find<R: Record>(_ index: UniqueIndex<R>, _ key: consuming Key) throws -> R? {
        let storeKey = StoreKey(prefix: R.collection.prefix(ofIndex: index.name), key)
        guard let entry = try engine.value(of: storeKey) else { return nil }
        return try record(behind: entry, at: storeKey)
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
        let bounds = KeyBounds(
            collection: R.collection.name,
            index: index.name,
            prefix: prefix,
            from: lower,
            before: upper
        )
        var records: [R] = []
        var passedOver = 0
        guard limit > 0 else { return records }
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: descending) { key, entry in
            guard passedOver == offset else {
                passedOver += 1
                return true
            }
            records.append(try record(behind: entry, at: key))
            return records.count < limit
        }
        return records
    }

    /// All records of a type whose keys start with `prefix`, in the order of their keys.
    package func all<R: Record>(_ type: R.Type, prefix: Key? = nil, limit: Int = .max) throws -> [R] {
        let bounds = KeyBounds(collection: R.collection.name, index: StoreKey.recordIndex, prefix: prefix, from: nil)
        var records: [R] = []
        guard limit > 0 else { return records }
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: false) { key, value in
            records.append(try decode(value, at: key))
            return records.count < limit
        }
        return records
    }

    // MARK: Writing

    /// Adds a record.
    ///
    /// - Throws: `StoreError.duplicate` if its key, or its key in an index, is taken.
    package func insert<R: Record>(_ record: R) throws {
        let collection = R.collection
        try insert(collection.stored(record), record.key, in: collection)
    }

    /// Replaces the record with the same key.
    ///
    /// - Throws: `StoreError.missing` if it does not exist; `StoreError.duplicate` if a new index key is taken.
    package func update<R: Record>(_ record: R) throws {
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

    /// The number of a collection's next record, from 1 on. No number is given twice.
    package func nextNumber<R: Record>(of type: R.Type) throws -> Int {
        guard let counter = R.collection.counter else { preconditionFailure("\(R.collection.name) is not numbered") }
        return try next(counter)
    }

    /// The next number of a counter, from 1 on. No number is given twice.
    package func next(_ counter: Counter) throws -> Int {
        let key = counter.key
        var next = 1
        try engine.change(key, isErasable: false) { value in
            let last = try value.map { value in
                try value.decoding(at: key) { reader throws(JSONError) in try reader.number().int }
            }
            guard let last = last ?? 0 else {
                throw StoreError.damaged(file: key.text, offset: 0, reason: "a counter is no whole number")
            }
            guard (0..<Key.numbers.upperBound).contains(last) else { throw StoreError.usedUp(counter: key.text) }
            next = last + 1
            return values.number(next)
        }
        return next
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

    private func record<R: Record>(behind entry: StoredValue, at key: StoreKey) throws -> R {
        guard let record = try get(R.self, pointedAt(by: entry, at: key)) else {
            throw StoreError.damaged(file: key.text, offset: 0, reason: "an index entry without its record")
        }
        return record
    }

    /// The key of the record to which an index entry points.
    func pointedAt(by entry: StoredValue, at key: StoreKey) throws -> Key {
        let recordKey = try entry.decoding(at: key) { reader throws(JSONError) in try reader.text().string }
        return Key(bytes: Array(recordKey.utf8))
    }

    private func decode<R: Record>(_ value: StoredValue, at key: StoreKey) throws -> R {
        try storedRecord(value, at: key).record
    }

    func storedRecord<R: Record>(_ value: StoredValue, at key: StoreKey) throws -> StoredRecord<R> {
        if let decoded = value.decoded, decoded.type == ObjectIdentifier(R.self) {
            // The record was decoded by an earlier read.
            return decoded.as(R.self)
        }
        // The result has no generic type, because each function that returns a generic result would look up its type at
        // run time. That takes as long as half of the reading.
        let decoded: AnyStoredRecord = try value.decoding(at: key) { reader throws(JSONError) in
            R.collection.stored(try R(reading: &reader))
        }
        value.decoded = decoded
        return decoded.as(R.self)
    }
}

/// A decoded record, as a stored value caches it.
package final class StoredRecord<R: Record>: AnyStoredRecord {
    /// The record.
    package let record: R

    /// `required`, so that an object can be created from a type that is known only at run time.
    required init(_ record: R) {
        self.record = record
        super.init(type: R.self)
    }

    override func write(to writer: inout JSONWriter) { record.write(to: &writer) }
}

extension StoredValue {
    /// Decodes the value. If its bytes cannot be decoded, they are damaged.
    ///
    /// Inlined, so that it is specialised for the type that it reads.
    @inline(__always)
    func decoding<Value>(
        at key: StoreKey,
        _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(StoreError) -> Value {
        let result = bytes.withUnsafeBytes { bytes -> Result<Value, JSONError> in
            var reader = JSONReader(bytes)
            do throws(JSONError) {
                return .success(try read(&reader))
            } catch {
                return .failure(error)
            }
        }
        do throws(JSONError) {
            return try result.get()
        } catch {
            throw .damaged(file: key.text, offset: error.offset, reason: error.reason.rawValue)
        }
    }
}
