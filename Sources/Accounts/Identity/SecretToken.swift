internal import CSodium
package import Store

/// A random text that whoever holds it is known by: a session id, an access token, an api key.
///
/// Only its hash is ever stored. BLAKE2b suffices there, fast and without salt, as nobody can guess 128 random bits.
package struct SecretToken: Sendable {
    /// The token itself, in lower-case hexadecimal; it is told once, to its owner.
    package let text: String

    /// A new token.
    package init(bytes count: Int, from random: any RandomSource) {
        self.text = random.hex(bytes: count)
    }

    /// The hash that is stored in place of a token: 32 bytes of BLAKE2b (RFC 7693).
    package struct Hash: KeyComponent {
        private typealias Storage = (UInt64, UInt64, UInt64, UInt64)
        private var bytes: Storage = (0, 0, 0, 0)

        /// The hash of a token.
        package init(of token: String) {
            Sodium.makeReady()
            var token = token
            let count = MemoryLayout<Storage>.size
            token.withUTF8 { token in
                withUnsafeMutablePointer(to: &bytes) { bytes in
                    bytes.withMemoryRebound(to: UInt8.self, capacity: count) { hash in
                        // The token's address is nil only where its count is 0, and then nothing is read.
                        _ = crypto_generichash(hash, count, token.baseAddress, UInt64(token.count), nil, 0)
                    }
                }
            }
        }

        /// The hash in hexadecimal.
        package var text: String { withUnsafeBytes(of: bytes) { $0.hexText } }

        package var keyBytesMax: Int { 2 * MemoryLayout<Storage>.size }

        package func append(to key: inout KeyWriter) {
            let text = (
                Self.text(of: bytes.0), Self.text(of: bytes.1), Self.text(of: bytes.2), Self.text(of: bytes.3)
            )
            withUnsafeBytes(of: text) { key.append($0) }
        }

        /// The digits of eight bytes, as they stand in memory.
        private static func text(of bytes: UInt64) -> (UInt64, UInt64) {
            let bytes = UInt64(littleEndian: bytes)
            let (first, second) = (UInt32(truncatingIfNeeded: bytes), UInt32(truncatingIfNeeded: bytes >> 32))
            return (first.hexDigits.littleEndian, second.hexDigits.littleEndian)
        }
    }
}

extension UInt32 {
    /// The hexadecimal digits, in lower case, of four bytes: the first of both is the lowest. All eight are made at once,
    /// as each request needs a token's hash in this form.
    fileprivate var hexDigits: UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var spread = UInt64(self)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        let values = (spread >> 4 | spread << 8) & (ones &* 0x0F)
        // A value from 10 on plus 6 has a fifth bit; "0" is 0x30, and "a" is 0x27 behind where ten would be.
        let letters = (values &+ ones &* 6) >> 4 & ones
        return values &+ ones &* 0x30 &+ letters &* 0x27
    }
}
