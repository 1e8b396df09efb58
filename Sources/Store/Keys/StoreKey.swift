internal import Platform
internal import JSON

/// A key of the whole key space: `collection/index/key`, ordered by its bytes.
///
/// Records are under the index `id`, so a person who reads the files finds `operators/id/0000000017` and near it
/// `operators/email/foo@bar.com`.
package struct StoreKey: Hashable, Comparable, Sendable {
    /// The index of the records themselves.
    package static let recordIndex = "id"
    /// The collection of the counters, whose keys are `counters/id/NAME`.
    package static let counters = "counters"

    /// The prefix of the keys of all counters.
    package static let counterPrefix = prefix(collection: counters, index: recordIndex)

    /// The key of a counter.
    package static func counter(_ name: String) -> StoreKey {
        StoreKey(prefix: counterPrefix, Key(name))
    }

    /// The key's bytes, which define its order.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// All bytes at once: an array would give them to the hasher one by one.
    package func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// The key of an entry in an index.
    package init(collection: String, index: String, key: consuming Key) {
        self.init(prefix: Self.prefix(collection: collection, index: index), key)
    }

    /// The key of a record.
    package init<R: Record>(_ type: R.Type, _ key: consuming Key) {
        self.init(prefix: R.collection.recordPrefix, key)
    }

    /// A key from its index's prefix. It reuses the memory of `key` if the memory is not shared and has room.
    package init(prefix: [UInt8], _ key: consuming Key) {
        var bytes = (consume key).bytes
        bytes.insert(contentsOf: prefix, at: 0)
        self.bytes = bytes
    }

    /// The key of a record.
    package init<R: Record>(of record: R) {
        self.init(R.self, record.key)
    }

    /// The prefix of all keys of an index.
    package static func prefix(collection: String, index: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96)
        bytes.append(contentsOf: collection.utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: index.utf8)
        bytes.append(UInt8(ascii: "/"))
        return bytes
    }

    /// The collection and the index, each with its slash.
    package var index: ArraySlice<UInt8> {
        var slashes = 0
        return bytes.prefix { byte in
            defer { if byte == UInt8(ascii: "/") { slashes += 1 } }
            return slashes < 2
        }
    }

    /// The key as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Greater than every key: 0xFF is not a byte of UTF-8.
    package static let end = StoreKey(bytes: [0xFF])

    /// Appends the key as a JSON string, unchanged unless it has a character that needs an escape.
    package func appendJSON(to output: inout [UInt8]) {
        let isPlain = bytes.allSatisfy { byte in
            byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0xE2
        }
        guard isPlain else {
            var writer = JSONWriter(capacity: bytes.count + 16)
            writer.string(text)
            output.append(contentsOf: writer.bytes)
            return
        }
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: bytes)
        output.append(UInt8(ascii: "\""))
    }

    package static func < (left: StoreKey, right: StoreKey) -> Bool {
        left.bytes.withUnsafeBufferPointer { left in
            right.bytes.withUnsafeBufferPointer { right in RawBytes.order(left, right) < 0 }
        }
    }
}
