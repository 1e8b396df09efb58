internal import CSodium
package import Store
import Platform

/// A bearer token: a session id, an access token or an API key.
///
/// Only its hash is stored: BLAKE2b, fast and without salt, because 128 random bits cannot be guessed.
package struct SecretToken: Sendable {
    /// The token in lower-case hexadecimal. Only one reply contains it: the reply to the request that opens the
    /// session.
    package let text: String

    /// A new token.
    package init(bytes count: Int, from random: any RandomSource) {
        self.text = random.hex(bytes: count)
    }

    /// The hash that is stored in place of a token: 32 bytes of BLAKE2b (RFC 7693).
    package struct Hash: ShortKeyComponent {
        private typealias Storage = (UInt64, UInt64, UInt64, UInt64)
        private var bytes: Storage = (0, 0, 0, 0)

        /// The hash of a token.
        package init(of token: String) {
            var token = token
            self = token.withUTF8 { Hash(of: UnsafeRawBufferPointer($0)) }
        }

        /// The hash of a token, given as UTF-8 bytes.
        init(of token: UnsafeRawBufferPointer) {
            Sodium.makeReady()
            let token = token.assumingMemoryBound(to: UInt8.self)
            let count = MemoryLayout<Storage>.size
            withUnsafeMutablePointer(to: &bytes) { bytes in
                bytes.withMemoryRebound(to: UInt8.self, capacity: count) { hash in
                    // The token's address is nil only if its count is 0, and then nothing is read.
                    _ = crypto_generichash(hash, count, token.baseAddress, UInt64(token.count), nil, 0)
                }
            }
        }

        /// The hash in hexadecimal.
        package var text: String { withUnsafeBytes(of: bytes) { $0.hexText } }

        /// The length of a hash in bytes.
        static let bytesCount = MemoryLayout<Storage>.size

        package var keyBytesMax: Int { 2 * MemoryLayout<Storage>.size }

        package func append(to key: inout KeyWriter) {
            let text = (
                Self.text(of: bytes.0), Self.text(of: bytes.1), Self.text(of: bytes.2), Self.text(of: bytes.3)
            )
            withUnsafeBytes(of: text) { key.append($0) }
        }

        /// The hexadecimal digits of eight bytes, in the order of the bytes in memory.
        private static func text(of bytes: UInt64) -> (UInt64, UInt64) {
            let number = UInt64(bigEndian: bytes)
            return (UInt32(truncatingIfNeeded: number >> 32).hexDigits, UInt32(truncatingIfNeeded: number).hexDigits)
        }
    }
}
