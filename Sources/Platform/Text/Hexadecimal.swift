extension Collection<UInt8> {
    /// The bytes in lower-case hexadecimal, two digits per byte.
    package var hexText: String {
        String(unsafeUninitializedCapacity: count * 2) { text in
            for (index, byte) in enumerated() {
                text[2 * index] = (byte >> 4).hexDigit
                text[2 * index + 1] = (byte & 0xF).hexDigit
            }
            return count * 2
        }
    }
}

extension UInt8 {
    /// The ASCII digit for 0 to 15.
    package var hexDigit: UInt8 {
        self < 10 ? UInt8(ascii: "0") + self : UInt8(ascii: "a") + self - 10
    }
}

extension UInt32 {
    /// Eight lower-case hexadecimal digits.
    package var hexText: String { Swift.withUnsafeBytes(of: hexDigits) { String(decoding: $0, as: UTF8.self) } }

    /// Appends eight lower-case hexadecimal digits.
    package func appendHex(to bytes: inout [UInt8]) {
        Swift.withUnsafeBytes(of: hexDigits) { bytes.append(contentsOf: $0) }
    }

    /// Eight lower-case hexadecimal digits as eight bytes, the first digit at the lowest address.
    ///
    /// All digits are computed at once for speed: each journal line and each key of a token has some. The property is
    /// inlinable because a call for each four bytes of a token would cost as much as the digits.
    @inlinable
    package var hexDigits: UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Spread the four bytes, each into the lower byte of a pair, the byte of the first digits into the lowest pair.
        var spread = UInt64(byteSwapped)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        let values = (spread >> 4 | spread << 8) & (ones &* 0x0F)
        // A value from 10 on, plus 6, has bit 4 set. "0" is 0x30, and "a" is 0x27 more than 0x30 + 10.
        let letters = (values &+ ones &* 6) >> 4 & ones
        return (values &+ ones &* 0x30 &+ letters &* 0x27).littleEndian
    }
}
