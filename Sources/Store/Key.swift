internal import JSON

/// A component of a key: an integer or a string.
package protocol KeyComponent {
    /// The maximum number of bytes of the component in a key.
    var keyBytesMax: Int { get }
    /// Appends the component in a form whose byte order is the order of the component itself.
    func append(to key: inout KeyWriter)
}

/// A buffer in which a key is built, so that its array is allocated once.
package struct KeyWriter {
    /// Large enough for the maximum bytes of all components. A component that exceeds its maximum stops the program.
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Spare capacity for the prefix that the key space puts before a key. It is enough for the names of most
    /// collections and their indexes.
    private static let prefixRoom = 40

    /// The bytes of a key, at most `max`, as `write` appends them.
    package static func bytes(max: Int, _ write: (inout KeyWriter) -> Void) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: max, alignment: 1) { memory in
            var writer = KeyWriter(memory: memory)
            write(&writer)
            let bytes = UnsafeRawBufferPointer(rebasing: memory[..<writer.count])
            return [UInt8](unsafeUninitializedCapacity: bytes.count + prefixRoom) { array, count in
                UnsafeMutableRawBufferPointer(array).copyMemory(from: bytes)
                count = bytes.count
            }
        }
    }

    private init(memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    /// Appends a byte.
    package mutating func append(_ byte: UInt8) {
        precondition(count < memory.count)
        memory[count] = byte
        count += 1
    }

    /// Appends bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= memory.count - count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Appends `count` bytes that `write` fills in.
    package mutating func append(_ count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(count <= memory.count - self.count)
        write(UnsafeMutableRawBufferPointer(rebasing: memory[self.count..<self.count + count]))
        self.count += count
    }
}

extension Int: KeyComponent {
    package var keyBytesMax: Int { Key.numberDigits }

    /// Ten digits, so that 9 sorts before 10. A number outside 0...9,999,999,999 cannot be in a key.
    package func append(to key: inout KeyWriter) {
        precondition(Key.numbers.contains(self), "a number in a key has at most ten digits")
        key.append(Key.numberDigits) { digits in
            var rest = UInt64(self)
            for place in 1...Key.numberDigits {
                digits[Key.numberDigits - place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
    }
}

extension String: KeyComponent {
    package var keyBytesMax: Int { 3 * utf8.count }

    /// The string as it is, except that control characters, the per cent sign and the slash, which separates
    /// components, are written `%2F` and so on.
    package func append(to key: inout KeyWriter) {
        guard utf8.withContiguousStorageIfAvailable({ Self.append($0, to: &key) }) == nil else { return }
        var text = self
        text.withUTF8 { Self.append($0, to: &key) }
    }

    private static func append(_ text: UnsafeBufferPointer<UInt8>, to key: inout KeyWriter) {
        // Most strings need no escapes, and are copied at once.
        guard text.contains(where: isEscaped) else { return key.append(UnsafeRawBufferPointer(text)) }
        for byte in text {
            guard isEscaped(byte) else {
                key.append(byte)
                continue
            }
            key.append(UInt8(ascii: "%"))
            for digit in [byte >> 4, byte & 0xF] {
                key.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        // All escaped bytes except 0x7F are less than or equal to the slash.
        byte <= UInt8(ascii: "/")
            ? byte < 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") : byte == 0x7F
    }
}

/// The key of a record in its collection, or of an entry in its index: one to three components.
///
///     Key(17)                 → 0000000017
///     Key("foo@bar.com")      → foo@bar.com
///     Key(1, 3)               → 0000000001/0000000003
package struct Key: Hashable, Sendable {
    /// The range of numbers that can be components.
    package static let numbers = 0...9_999_999_999
    /// The number of digits of each number.
    static let numberDigits = 10

    /// The components, joined by slashes.
    package let bytes: [UInt8]

    /// A key of one component.
    package init<First: KeyComponent>(_ first: First) {
        self.init(bytes: KeyWriter.bytes(max: first.keyBytesMax) { key in first.append(to: &key) })
    }

    /// A key of two components.
    package init<First: KeyComponent, Second: KeyComponent>(_ first: First, _ second: Second) {
        let bytes = KeyWriter.bytes(max: first.keyBytesMax + second.keyBytesMax + 1) { key in
            first.append(to: &key)
            key.append(UInt8(ascii: "/"))
            second.append(to: &key)
        }
        self.init(bytes: bytes)
    }

    /// A key of three components.
    package init<First: KeyComponent, Second: KeyComponent, Third: KeyComponent>(
        _ first: First,
        _ second: Second,
        _ third: Third
    ) {
        let bytes = KeyWriter.bytes(max: first.keyBytesMax + second.keyBytesMax + third.keyBytesMax + 2) { key in
            first.append(to: &key)
            key.append(UInt8(ascii: "/"))
            second.append(to: &key)
            key.append(UInt8(ascii: "/"))
            third.append(to: &key)
        }
        self.init(bytes: bytes)
    }

    /// A key from bytes that were written earlier.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The key as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// A key of the whole key space: `collection/index/key`, ordered by its bytes.
///
/// Records are under the index `id`, so a person who reads the files finds `operators/id/0000000017` and near it
/// `operators/email/foo@bar.com`.
package struct StoreKey: Hashable, Comparable, Sendable {
    /// The index of the records themselves.
    static let recordIndex = "id"
    /// The collection of the counters, whose keys are `counters/id/NAME`.
    static let counters = "counters"

    /// The prefix of the keys of all counters.
    static let counterPrefix = prefix(collection: counters, index: recordIndex)

    /// The key of a counter.
    static func counter(_ name: String) -> StoreKey {
        StoreKey(prefix: counterPrefix, Key(name))
    }

    /// The key's bytes, which define its order.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The key of an entry in an index.
    package init(collection: String, index: String, key: consuming Key) {
        self.init(prefix: Self.prefix(collection: collection, index: index), key)
    }

    /// The key of a record.
    init<R: Record>(_ type: R.Type, _ key: consuming Key) {
        self.init(prefix: R.collection.recordPrefix, key)
    }

    /// A key from its index's prefix. It reuses the memory of `key` if the memory is not shared and has room.
    init(prefix: [UInt8], _ key: consuming Key) {
        var bytes = (consume key).bytes
        bytes.insert(contentsOf: prefix, at: 0)
        self.bytes = bytes
    }

    /// The key of a record.
    init<R: Record>(of record: R) {
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

    /// The key as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Greater than every key: 0xFF is not a byte of UTF-8.
    static let end = StoreKey(bytes: [0xFF])

    /// Appends the key as a JSON string, unchanged unless it has a character that needs an escape.
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
            right.bytes.withUnsafeBufferPointer { right in PackedKeys.compare(left, right) < 0 }
        }
    }
}
