/// The key of a record in its collection, or of an entry in its index: one to three components.
///
///     Key(17)                 → 0000000017
///     Key("foo@bar.com")      → foo@bar.com
///     Key(1, 3)               → 0000000001/0000000003
package struct Key: Hashable, Sendable {
    /// The range of numbers that can be components.
    package static let numbers = 0...9_999_999_999
    /// The number of digits of each number.
    package static let numberDigits = 10

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
