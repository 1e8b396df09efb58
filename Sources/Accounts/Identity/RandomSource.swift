internal import CSodium

/// Where random bytes come from.
package protocol RandomSource: AnyObject {
    /// So many fresh random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension RandomSource {
    /// A random text of two lower-case hexadecimal digits a byte.
    package func hex(bytes count: Int) -> String {
        bytes(count).hexText
    }

    /// A random UUID (RFC 9562 §5.4, version 4).
    package func uuid() -> String {
        var bytes = bytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array(bytes.hexText)
        let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return groups.map { String($0) }.joined(separator: "-")
    }
}

/// The system's cryptographically secure generator.
package final class SystemRandom: RandomSource {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }
}

/// A generator that gives the same bytes for the same seed, for rehearsals: never where data are kept.
package final class RehearsedRandom: RandomSource {
    private let seed: Int
    private var drawn = 0

    package init(seed: Int) {
        self.seed = seed
    }

    package func bytes(_ count: Int) -> [UInt8] {
        drawn += 1
        // The stream's key is the rehearsal's seed and the number of the draw; the rest of its 32 bytes is zero.
        var key = [UInt8](repeating: 0, count: Int(randombytes_SEEDBYTES))
        withUnsafeBytes(of: (seed.littleEndian, drawn.littleEndian)) { key.replaceSubrange(0..<$0.count, with: $0) }
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf_deterministic(&bytes, count, key)
        return bytes
    }
}

extension Collection<UInt8> {
    /// Two lower-case hexadecimal digits a byte.
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
    fileprivate var hexDigit: UInt8 {
        self < 10 ? UInt8(ascii: "0") + self : UInt8(ascii: "a") + self - 10
    }
}
