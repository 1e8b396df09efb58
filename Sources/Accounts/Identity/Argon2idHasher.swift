internal import CSodium

/// Hashes with Argon2id through libsodium: 19,456 KiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
///
/// It holds no state and may be used from several threads at once.
package final class Argon2idHasher: PasswordHasher, Sendable {
    private static let passes: UInt64 = 2
    private static let memoryBytes = 19_456 * 1_024

    package init() {}

    package func hash(_ password: String) -> PasswordHash {
        let password = password.utf8.map { CChar(bitPattern: $0) }
        var phc = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let status = crypto_pwhash_str(&phc, password, UInt64(password.count), Self.passes, Self.memoryBytes)
        // It fails only where the memory cannot be had; going on would store a password that nobody can use.
        precondition(status == 0, "no memory to hash a password")
        return PasswordHash(text: String(decoding: phc.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    package func verify(_ password: String, against hash: PasswordHash) -> Bool {
        let password = password.utf8.map { CChar(bitPattern: $0) }
        return crypto_pwhash_str_verify(hash.text, password, UInt64(password.count)) == 0
    }

    package func needsRehash(_ hash: PasswordHash) -> Bool {
        crypto_pwhash_str_needs_rehash(hash.text, Self.passes, Self.memoryBytes) != 0
    }

    /// Made once by hashing 32 random bytes with the parameters above; the bytes were thrown away.
    package var decoy: PasswordHash {
        PasswordHash(
            text: "$argon2id$v=19$m=19456,t=2,p=1$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"
        )
    }
}
