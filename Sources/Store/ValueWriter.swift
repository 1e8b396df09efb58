internal import JSON

/// Writes the values that a transaction stores.
///
/// They are put together in memory that is kept from one to the next, and handed out as arrays of their exact length.
final class ValueWriter {
    private var writer = JSONWriter(capacity: 1_024)

    /// A record's value.
    func record(_ record: AnyStoredRecord) -> StoredValue {
        record.write(to: &writer)
        return StoredValue(bytes: writer.take(), decoded: record)
    }

    /// What an index entry holds: the key of its record. A record's entries may share it.
    func entry(pointingAt key: Key) -> StoredValue {
        key.bytes.withUnsafeBytes { writer.string($0) }
        return StoredValue(bytes: writer.take())
    }

    /// What a counter holds.
    func number(_ number: Int) -> StoredValue {
        writer.int(number)
        return StoredValue(bytes: writer.take())
    }
}
