internal import JSON

/// A type of record whose name is known only when the program runs: for tools that go through all of a store.
package struct RecordType: Sendable {
    /// A record, in the form in which a store keeps it.
    struct Entry {
        let key: StoreKey
        let value: [UInt8]
        /// The keys that it stands under in the indexes, and what they hold.
        let indexKeys: [StoreKey]
        let indexValue: [UInt8]
        /// The numbers that it has from counters, by their names.
        let numbers: [(counter: String, number: Int)]
    }

    /// The name of its collection.
    let collection: String
    /// Whether its records are overwritten in the files once they are deleted.
    let isErasable: Bool
    /// Reads a record's JSON.
    let read: @Sendable (inout JSONReader) throws(JSONError) -> Entry

    package init<R: Record>(_ type: R.Type) {
        collection = R.collection.name
        isErasable = R.collection.isErasable
        read = { reader throws(JSONError) in
            let record = try R(reading: &reader)
            let (stored, values) = (R.collection.stored(record), ValueWriter())
            let key = StoreKey(of: record)
            var numbers = R.collection.counters.map { ($0.counter.name, $0.number(record)) }
            if let counter = R.collection.counter, let number = key.recordNumber {
                numbers.append((counter.name, number))
            }
            return Entry(
                key: key,
                value: values.record(stored).bytes,
                indexKeys: R.collection.indexes.compactMap { $0.entry(of: stored) },
                indexValue: values.entry(pointingAt: record.key).bytes,
                numbers: numbers
            )
        }
    }

    /// Reads a record's bytes.
    func entry(of bytes: [UInt8]) throws(JSONError) -> Entry {
        let result = bytes.withUnsafeBytes { bytes -> Result<Entry, JSONError> in
            var reader = JSONReader(bytes)
            do throws(JSONError) {
                let entry = try read(&reader)
                try reader.finish()
                return .success(entry)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension StoreKey {
    /// The pieces that the key was made of.
    var pieces: (collection: String, index: String, key: ArraySlice<UInt8>)? {
        guard let first = bytes.firstIndex(of: UInt8(ascii: "/")),
            let second = bytes[(first + 1)...].firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        let collection = String(decoding: bytes[..<first], as: UTF8.self)
        let index = String(decoding: bytes[(first + 1)..<second], as: UTF8.self)
        return (collection, index, bytes[(second + 1)...])
    }

    /// The number that the key of a record is; nil where it is another key, or one of several components.
    var recordNumber: Int? {
        guard let pieces, pieces.index == StoreKey.recordIndex, pieces.key.count == 10 else { return nil }
        return Int(String(decoding: pieces.key, as: UTF8.self))
    }
}
