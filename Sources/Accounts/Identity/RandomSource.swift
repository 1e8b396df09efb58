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

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits a byte.
    package var hexText: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }
}
