internal import JSON

/// A value of the key space. An engine sees its bytes only.
///
/// The store caches the record that it decoded from the bytes here, and nowhere else: an engine that returns the same
/// object again saves the decoding.
package final class StoredValue {
    /// One JSON value other than null, with no line feed outside a string, as a `JSONWriter` writes it.
    package let bytes: [UInt8]
    /// The record decoded from `bytes`.
    var decoded: AnyStoredRecord?

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(bytes: [UInt8], decoded: AnyStoredRecord) {
        self.bytes = bytes
        self.decoded = decoded
    }

    /// The value of a counter or of a count.
    package convenience init(number: Int) {
        var writer = JSONWriter(capacity: 32)
        writer.int(number)
        self.init(bytes: writer.bytes)
    }

    /// The number in the value of a counter or of a count; nil if the bytes are not such a number. It needs no
    /// `JSONReader`, which would take longer: each creation reads a counter.
    var number: Int? {
        guard (1...18).contains(bytes.count), bytes[0] != UInt8(ascii: "0") || bytes.count == 1 else { return nil }
        var number = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// The key of the record that an index entry names.
    ///
    /// - Parameters:
    ///   - prefix: the prefix of the keys of the collection's records.
    ///   - entry: the key of the index entry, whose value this is.
    package func recordKey(prefix: [UInt8], behind entry: StoreKey) throws(StoreError) -> StoreKey {
        let key = try decoding(at: entry) { reader throws(JSONError) in try reader.text().string }
        return StoreKey(prefix: prefix, Key(bytes: Array(key.utf8)))
    }

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

extension StoreError {
    /// The error for an index entry whose record does not exist.
    package static func noRecord(behind entry: StoreKey) -> StoreError {
        .damaged(file: entry.text, offset: 0, reason: "an index entry without its record")
    }
}
