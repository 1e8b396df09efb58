import Glibc

/// A string of a JSON text, still as it was written: the bytes between the quotes, checked but not decoded.
///
/// It borrows the text it was read from and must not outlive it.
package struct JSONText {
    /// The bytes between the quotes: valid UTF-8, with any escapes still in place.
    package let bytes: UnsafeRawBufferPointer
    /// Whether `bytes` holds a backslash escape, so that it differs from the string it stands for.
    package let hasEscapes: Bool

    /// Whether the string equals `name`, with escapes resolved.
    package func equals(_ name: StaticString) -> Bool {
        // A name with escapes is longer than what it stands for.
        guard bytes.count == name.utf8CodeUnitCount, !hasEscapes else {
            return hasEscapes && string == name.description
        }
        // The address is nil only where the count is 0, and then nothing is compared.
        guard let start = bytes.baseAddress else { return true }
        return memcmp(start, name.utf8Start, bytes.count) == 0
    }

    /// The string, with escapes resolved.
    package var string: String {
        guard hasEscapes else { return String(decoding: bytes, as: UTF8.self) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                decoded.append(byte)
                continue
            }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): decoded.append(0x08)
            case UInt8(ascii: "f"): decoded.append(0x0C)
            case UInt8(ascii: "n"): decoded.append(0x0A)
            case UInt8(ascii: "r"): decoded.append(0x0D)
            case UInt8(ascii: "t"): decoded.append(0x09)
            case UInt8(ascii: "u"): decoded.append(contentsOf: unicodeEscape(at: &index))
            default: decoded.append(escape)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Decodes `XXXX`, or `XXXX\uXXXX` of a surrogate pair, and moves `index` behind it.
    private func unicodeEscape(at index: inout Int) -> [UInt8] {
        var code = hexCodeUnit(at: index)
        index += 4
        if (0xD800...0xDBFF).contains(code) {
            let low = hexCodeUnit(at: index + 2)
            index += 6
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { return [0xEF, 0xBF, 0xBD] }
        return Array(String(Character(scalar)).utf8)
    }

    private func hexCodeUnit(at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | UInt32(bytes[index + $1].hexDigitValue ?? 0) }
    }
}

extension UInt8 {
    /// The value of an ASCII hexadecimal digit, or nil for any other byte.
    package var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
