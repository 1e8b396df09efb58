internal import CSodium
internal import Platform

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
        UUIDText.version4(bytes(16))
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
