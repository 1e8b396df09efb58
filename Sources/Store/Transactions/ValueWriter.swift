internal import JSON

/// Encodes the values that a transaction stores.
///
/// They are encoded in a buffer that is reused, and returned as arrays of the exact length.
package final class ValueWriter {
    private var writer = JSONWriter(capacity: 1_024)

    package init() {}

    /// A record's value.
    package func record(_ record: AnyStoredRecord) -> StoredValue {
        record.write(to: &writer)
        return StoredValue(bytes: writer.take(), decoded: record)
    }

    /// The value of an index entry: the key of its record. All entries of a record may share it.
    package func entry(pointingAt key: Key) -> StoredValue {
        key.bytes.withUnsafeBytes { writer.string($0) }
        return StoredValue(bytes: writer.take())
    }
}
