import Platform

/// A string of a JSON text: the bytes between the quotes, checked but not decoded.
///
/// It points into the text it was read from and must not outlive it.
package struct JSONText {
    /// The bytes between the quotes: valid UTF-8, with escapes not decoded.
    package let bytes: UnsafeRawBufferPointer
    /// Whether `bytes` contains a backslash escape, so that it differs from the decoded string.
    package let hasEscapes: Bool

    /// Whether the decoded string equals `name`.
    package func equals(_ name: StaticString) -> Bool {
        // A name with escapes is longer than its decoded string. No client writes one.
        guard !hasEscapes else { return equalsDecoded(name) }
        guard bytes.count == name.utf8CodeUnitCount else { return false }
        // The address is nil only if the count is 0, and then the strings are equal.
        guard let start = bytes.baseAddress else { return true }
        return RawBytes.areEqual(start, name.utf8Start, count: bytes.count)
    }

    /// The same for a string with escapes. It is not inlined, so that `equals(_:)` is.
    @inline(never)
    private func equalsDecoded(_ name: StaticString) -> Bool {
        string.utf8.elementsEqual(name.description.utf8)
    }

    /// The decoded string.
    package var string: String {
        guard hasEscapes else { return String(decoding: bytes, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: bytes.count) { decode(into: UnsafeMutableRawBufferPointer($0)) }
    }

    /// Decodes the string into the caller's memory, which has room for `bytes.count` bytes, and returns the number of
    /// bytes of UTF-8. No other memory contains a copy of the string.
    package func decode(into memory: UnsafeMutableRawBufferPointer) -> Int {
        guard hasEscapes else {
            memory.copyMemory(from: bytes)
            return bytes.count
        }
        var (index, count) = (0, 0)
        func put(_ byte: UInt8) {
            memory[count] = byte
            count += 1
        }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                put(byte)
                continue
            }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0C)
            case UInt8(ascii: "n"): put(0x0A)
            case UInt8(ascii: "r"): put(0x0D)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "u"):
                for byte in UTF8.encode(unicodeEscape(at: &index)) ?? UTF8.encodedReplacementCharacter { put(byte) }
            default: put(escape)
            }
        }
        return count
    }

    /// Reads `XXXX`, or `XXXX\uXXXX` of a surrogate pair, and moves `index` after it.
    private func unicodeEscape(at index: inout Int) -> Unicode.Scalar {
        var code = hexCodeUnit(at: index)
        index += 4
        if (0xD800...0xDBFF).contains(code) {
            let low = hexCodeUnit(at: index + 2)
            index += 6
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        return Unicode.Scalar(code) ?? "\u{FFFD}"
    }

    private func hexCodeUnit(at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | UInt32(bytes[index + $1].hexDigitValue ?? 0) }
    }
}

extension UInt8 {
    /// The value of an ASCII hexadecimal digit; nil for any other byte.
    package var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
