internal import CSodium

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

    /// The hash that is stored in place of a token: 32 bytes of BLAKE2b (RFC 7693), in hexadecimal.
    package static func hash(of token: String) -> String {
        var (token, hash) = (token, [UInt8](repeating: 0, count: hashBytes))
        token.withUTF8 { token in
            // The address is nil only where the count is 0, and then nothing is read.
            _ = crypto_generichash(&hash, hashBytes, token.baseAddress, UInt64(token.count), nil, 0)
        }
        return hash.hexText
    }

    private static let hashBytes = 32
}
