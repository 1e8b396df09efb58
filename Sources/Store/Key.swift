internal import Glibc
internal import JSON

/// A piece of a key: a whole number or a text.
package protocol KeyComponent {
    /// Appends the piece in a form that sorts, byte by byte, as the piece itself does.
    func append(to bytes: inout [UInt8])
}

extension Int: KeyComponent {
    /// Ten digits, so that 9 sorts before 10; a number outside 0...9,999,999,999 has no place in a key.
    package func append(to bytes: inout [UInt8]) {
        precondition(Key.numbers.contains(self), "a number in a key has at most ten digits")
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 10) { digits in
            var rest = UInt64(self)
            for place in digits.indices.reversed() {
                digits.initializeElement(at: place, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
                rest /= 10
            }
            bytes.append(contentsOf: digits)
        }
    }
}

extension String: KeyComponent {
    /// The text as it is, but for the slash that parts components, the per cent sign and control characters, which are
    /// written `%2F` and so on.
    package func append(to bytes: inout [UInt8]) {
        var text = self
        text.withUTF8 { text in
            // Most texts need no escapes, and go in one piece.
            guard text.contains(where: Self.isEscaped) else { return bytes.append(contentsOf: text) }
            for byte in text {
                guard Self.isEscaped(byte) else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 0xF] {
                    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
                }
            }
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") || byte < 0x20 || byte == 0x7F
    }
}

/// What a record or an index entry is found by within its collection or index: one component or several.
///
///     Key(17)                 → 0000000017
///     Key("foo@bar.com")      → foo@bar.com
///     Key(1, 3)               → 0000000001/0000000003
package struct Key: Hashable, Sendable {
    /// The numbers that may be components.
    package static let numbers = 0...9_999_999_999

    /// The components, joined by slashes.
    package let bytes: [UInt8]

    /// Built where it is used, for the components that it is of: every request builds some.
    @inlinable
    package init<First: KeyComponent, each Rest: KeyComponent>(_ first: First, _ rest: repeat each Rest) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96)
        first.append(to: &bytes)
        for component in repeat each rest {
            bytes.append(UInt8(ascii: "/"))
            component.append(to: &bytes)
        }
        self.bytes = bytes
    }

    /// A key as it was written before.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The key as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// A key of the whole key space: `collection/index/key`, ordered by its bytes.
///
/// Records stand under the index `id`, so that a person who reads the files finds `operators/id/0000000017` and beside
/// it `operators/email/foo@bar.com`.
package struct StoreKey: Hashable, Comparable, Sendable {
    /// The index under which the records themselves stand.
    static let recordIndex = "id"
    /// The collection of the counters, which stand under `counters/id/NAME`.
    static let counters = "counters"

    /// The key's bytes, which order it.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The key of an entry in an index.
    package init(collection: String, index: String, key: Key) {
        var bytes = Self.prefix(collection: collection, index: index)
        bytes.append(contentsOf: key.bytes)
        self.bytes = bytes
    }

    /// The key of a record.
    init<R: Record>(_ type: R.Type, _ key: Key) {
        self.init(prefix: R.collection.recordPrefix, key)
    }

    /// A key by what all keys of its index start with.
    init(prefix: [UInt8], _ key: Key) {
        bytes = [UInt8](unsafeUninitializedCapacity: prefix.count + key.bytes.count) { buffer, count in
            count = buffer.initialize(fromContentsOf: prefix)
            count = buffer[count...].initialize(fromContentsOf: key.bytes)
        }
    }

    /// The key of a record.
    init<R: Record>(of record: R) {
        self.init(R.self, record.key)
    }

    /// What all keys of an index start with.
    package static func prefix(collection: String, index: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96)
        bytes.append(contentsOf: collection.utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: index.utf8)
        bytes.append(UInt8(ascii: "/"))
        return bytes
    }

    /// The key as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Behind every key: 0xFF is no byte of UTF-8.
    static let end = StoreKey(bytes: [0xFF])

    /// Appends the key as a string of JSON: as it is, unless it holds what needs an escape.
    func appendJSON(to output: inout [UInt8]) {
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
            right.bytes.withUnsafeBufferPointer { right in
                // An empty buffer may have no address; it precedes all others.
                guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else {
                    return left.count < right.count
                }
                let order = memcmp(leftStart, rightStart, min(left.count, right.count))
                return order < 0 || order == 0 && left.count < right.count
            }
        }
    }
}
