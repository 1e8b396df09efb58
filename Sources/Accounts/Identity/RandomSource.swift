internal import Synchronization
internal import CSodium
internal import Platform

/// A source of random bytes.
package protocol RandomSource: AnyObject {
    /// Returns `count` new random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension RandomSource {
    /// Random bytes as text, two lower-case hexadecimal digits per byte.
    package func hex(bytes count: Int) -> String {
        bytes(count).hexText
    }

    /// A random UUID (RFC 9562 §5.4, version 4).
    package func uuid() -> String {
        UUIDText.version4(bytes(16))
    }
}

/// The system's cryptographically secure generator.
package final class SystemRandom: RandomSource, Sendable {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }
}

/// A generator that returns the same bytes for the same seed, for deterministic mode. It must never be used with a
/// persistent store.
package final class DeterministicRandom: RandomSource, Sendable {
    private let seed: Int
    private let draws = Mutex(0)

    package init(seed: Int) {
        self.seed = seed
    }

    package func bytes(_ count: Int) -> [UInt8] {
        let drawn = draws.withLock { draws in
            draws += 1
            return draws
        }
        // The key is the seed, the number of the draw, and zeros up to 32 bytes.
        var key = [UInt8](repeating: 0, count: Int(randombytes_SEEDBYTES))
        withUnsafeBytes(of: (seed.littleEndian, drawn.littleEndian)) { key.replaceSubrange(0..<$0.count, with: $0) }
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf_deterministic(&bytes, count, key)
        return bytes
    }
}
