package import JSON

/// A record type that is known only at run time, for tools that process a whole store.
package struct RecordType: Sendable {
    /// A record in the form in which the store keeps it.
    package struct Entry {
        package let value: [UInt8]
        /// The record's place in the store; nil if one of its numbers does not fit into a key, which `findings`
        /// reports.
        package let place: Place?
        package let findings: RecordFindings
    }

    /// A record's place in the store.
    package struct Place {
        package let key: StoreKey
        /// The keys of its index entries, and the value that all of them have.
        package let indexKeys: [StoreKey]
        package let indexValue: [UInt8]
        /// The keys of the counts that include its index entries.
        package let countKeys: [StoreKey]
        /// The numbers in it that come from counters, with the names of the counters.
        package let numbers: [(counter: String, number: Int)]

        /// The first of its keys that is longer than the limit.
        package var longKey: StoreKey? {
            key.bytes.count > Limits.keyBytesMax ? key : indexKeys.first { $0.bytes.count > Limits.keyBytesMax }
        }
    }

    /// The collection's name.
    package let collection: String
    /// The name of the counter that numbers its records; nil if they are not numbered.
    package let counter: String?
    /// The names of the counters from which numbers in its records come.
    package let counters: [String]
    /// Whether its records are overwritten in the files after they are deleted.
    package let isErasable: Bool
    /// Whether its records may be substitutes for deleted records that others need.
    package let canBeSubstitute: Bool
    /// The indexes whose entries are counted, by the name that replaces the index name in the keys of the counts.
    package let countedIndexes: [String: CollectionIndex]
    /// Reads a record's JSON, and writes its value with the given writer.
    package let read: @Sendable (inout JSONReader, ValueWriter) throws(JSONError) -> Entry

    package init<R: Record>(_ type: R.Type) {
        collection = R.collection.name
        counter = R.collection.counter?.name
        counters = R.collection.counters.map(\.counter.name) + (R.collection.counter.map { [$0.name] } ?? [])
        isErasable = R.collection.isErasable
        canBeSubstitute = R.collection.canBeSubstitute
        let counted = R.collection.indexes.filter(\.isCounted)
        countedIndexes = Dictionary(uniqueKeysWithValues: counted.map { ($0.countName, $0) })
        read = { reader, writer throws(JSONError) in
            let record = try R(reading: &reader)
            var findings = RecordFindings()
            record.validate(into: &findings)
            let stored = R.collection.stored(record)
            let value = writer.record(stored).bytes
            guard findings.hasKeys else { return Entry(value: value, place: nil, findings: findings) }
            let key = StoreKey(of: record)
            var numbers = R.collection.counters.map { ($0.counter.name, $0.number(record)) }
            if let counter = R.collection.counter, let number = key.recordNumber {
                numbers.append((counter.name, number))
            }
            let place = Place(
                key: key,
                indexKeys: R.collection.indexes.compactMap { $0.entry(of: stored) },
                indexValue: writer.entry(pointingAt: record.key).bytes,
                countKeys: counted.compactMap { index in
                    index.entry(of: stored).flatMap(index.group).flatMap(index.countKey)
                },
                numbers: numbers
            )
            return Entry(value: value, place: place, findings: findings)
        }
    }

    /// Reads a record's bytes.
    package func entry(of bytes: [UInt8]) throws(JSONError) -> Entry {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try entry(of: bytes) }
        }
        return try result.get()
    }

    /// Reads a record's bytes.
    ///
    /// - Parameter writer: callers that read many records reuse one.
    package func entry(of bytes: UnsafeRawBufferPointer, writer: ValueWriter = ValueWriter()) throws(JSONError) -> Entry
    {
        var reader = JSONReader(bytes)
        let entry = try read(&reader, writer)
        try reader.finish()
        return entry
    }

    /// A number in a record; nil if the record has no number with that name.
    package static func number(_ name: String, of record: [UInt8]) -> Int? {
        do throws(JSONError) {
            return try JSONValue(parsing: record)[name]?.int
        } catch {
            return nil
        }
    }
}

extension StoreKey {
    /// The parts of the key.
    package var pieces: (collection: String, index: String, key: ArraySlice<UInt8>)? {
        guard let first = bytes.firstIndex(of: UInt8(ascii: "/")),
            let second = bytes[(first + 1)...].firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        let collection = String(decoding: bytes[..<first], as: UTF8.self)
        let index = String(decoding: bytes[(first + 1)..<second], as: UTF8.self)
        return (collection, index, bytes[(second + 1)...])
    }

    /// The number in the key of a numbered record; nil for any other key.
    package var recordNumber: Int? {
        guard let pieces, pieces.index == StoreKey.recordIndex, pieces.key.count == Key.numberDigits else { return nil }
        return Int(String(decoding: pieces.key, as: UTF8.self))
    }
}
