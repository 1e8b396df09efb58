extension Transaction {
    /// About the bytes that inserting a record adds to a line of a journal: its key and value, those of its index
    /// entries, and those of its number.
    ///
    /// A caller that writes a decoy in place of the record makes the decoy as long.
    package func insertionBytes<R: Record>(of record: R) -> Int {
        let collection = R.collection
        let stored = collection.stored(record)
        var bytes = Self.bytes(of: StoreKey(of: record), value: values.record(stored).bytes.count)
        if collection.isErasable { bytes += Self.slotBytes }
        let entry = values.entry(pointingAt: record.key).bytes.count
        for index in collection.indexes {
            if let key = index.entry(of: stored) { bytes += Self.bytes(of: key, value: entry) }
        }
        if let counter = collection.counter { bytes += Self.bytes(of: counter.key, value: Self.numberBytes) }
        return bytes
    }

    /// As in `["KEY",VALUE],`.
    private static func bytes(of key: StoreKey, value: Int) -> Int { key.bytes.count + value + 6 }

    /// What is added to a value whose bytes can be erased: `null,LENGTH` in its place, and `,"s":[["CHECKSUM",VALUE]]`.
    private static let slotBytes = 27

    /// The digits of a usual number.
    private static let numberBytes = 4
}
