internal import CSodium
internal import Synchronization

/// Hashes with Argon2id through libsodium: 19,456 KiB, two passes, one lane (OWASP Password Storage Cheat Sheet). It
/// also verifies the hashes of other programs that an import accepts (`ImportedHash`), one at a time.
///
/// Several threads may use it at once.
package final class Argon2idHasher: PasswordHasher, Sendable {
    private static let passes: UInt64 = 2
    private static let memoryBytes = 19_456 * 1_024

    package init() {}

    package func hash(_ password: Password) throws(PasswordHashingFailed) -> PasswordHash {
        Sodium.makeReady()
        var phc = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let status = password.withCharacters { characters, count in
            crypto_pwhash_str(&phc, characters, count, Self.passes, Self.memoryBytes)
        }
        // The call fails only if the memory cannot be allocated.
        guard status == 0 else { throw PasswordHashingFailed() }
        return PasswordHash(text: String(decoding: phc.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    package func verify(_ password: Password, against hash: PasswordHash) throws(PasswordHashingFailed) -> Bool {
        Sodium.makeReady()
        guard let imported = hash.imported else { return false }
        guard !isCurrent(hash) else { return try imported.isHash(of: password) }
        return try Self.importedTurn.withLock { _ throws(PasswordHashingFailed) in try imported.isHash(of: password) }
    }

    /// Held while an imported hash is verified. Such a hash can need 256 MiB, so a process verifies one at a time.
    private static let importedTurn = Mutex(())

    /// Whether a password can be verified against a hash at a limited cost.
    package static func canVerify(_ hash: PasswordHash) -> Bool {
        hash.imported != nil
    }

    /// Whether a hash was made with the parameters above.
    private func isCurrent(_ hash: PasswordHash) -> Bool {
        hash.text.utf8.starts(with: Self.currentHead.utf8)
    }

    private static let currentHead = "$argon2id$v=19$m=\(memoryBytes / 1_024),t=\(passes),p=1$"

    package func needsRehash(_ hash: PasswordHash) -> Bool {
        !isCurrent(hash)
    }

    /// A hash that no password is known for: its hash is random. It is the hash of an account that has no password yet.
    package static func unusableHash(_ random: any RandomSource) -> PasswordHash {
        let (salt, hash) = (random.bytes(Int(crypto_pwhash_SALTBYTES)), random.bytes(32))
        return PasswordHash(text: "\(currentHead)\(Sodium.base64(salt))$\(Sodium.base64(hash))")
    }

    /// A hash of 32 random bytes that were not kept, made with the parameters above.
    package var decoy: PasswordHash {
        PasswordHash(
            text: "$argon2id$v=19$m=19456,t=2,p=1$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"
        )
    }
}
