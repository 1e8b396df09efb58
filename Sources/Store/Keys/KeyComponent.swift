internal import Platform

/// A component of a key, such as an integer or a string.
package protocol KeyComponent {
    /// The maximum number of bytes of the component in a key.
    var keyBytesMax: Int { get }
    /// Appends the component in a form whose byte order is the order of the component itself.
    func append(to key: inout KeyWriter)
}

/// A component of at most 64 bytes in a key.
package protocol ShortKeyComponent: KeyComponent {}

extension Int: ShortKeyComponent {
    package var keyBytesMax: Int { Key.numberDigits }

    /// Ten digits, so that 9 sorts before 10. A number outside 0...9,999,999,999 cannot be in a key.
    package func append(to key: inout KeyWriter) {
        precondition(Key.numbers.contains(self), "a number in a key has at most ten digits")
        let (first, rest) = UInt64(self).quotientAndRemainder(dividingBy: 100_000_000)
        let digits = (UInt32(first).eightDigits >> 48, UInt32(rest).eightDigits)
        key.append(Key.numberDigits) { place in
            place.storeBytes(of: UInt16(digits.0).littleEndian, as: UInt16.self)
            place.storeBytes(of: digits.1.littleEndian, toByteOffset: 2, as: UInt64.self)
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
