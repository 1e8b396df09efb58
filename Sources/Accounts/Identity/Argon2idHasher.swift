internal import CSodium
internal import Glibc

/// Hashes with Argon2id through libsodium: 19,456 KiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
///
/// It holds no state and may be used from several threads at once.
package final class Argon2idHasher: PasswordHasher, Sendable {
    private static let passes: UInt64 = 2
    private static let memoryBytes = 19_456 * 1_024

    package init() {}

    package func hash(_ password: String) throws(PasswordHashingFailed) -> PasswordHash {
        Sodium.makeReady()
        let password = password.utf8.map { CChar(bitPattern: $0) }
        var phc = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let status = crypto_pwhash_str(&phc, password, UInt64(password.count), Self.passes, Self.memoryBytes)
        // It fails only where the memory cannot be had.
        guard status == 0 else { throw PasswordHashingFailed() }
        return PasswordHash(text: String(decoding: phc.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    package func verify(_ password: String, against hash: PasswordHash) throws(PasswordHashingFailed) -> Bool {
        Sodium.makeReady()
        let password = password.utf8.map { CChar(bitPattern: $0) }
        let isRight = crypto_pwhash_str_verify(hash.text, password, UInt64(password.count)) == 0
        // libsodium tells want of memory as a wrong password, and as a guess it would count towards a lockout.
        guard isRight || Self.hasMemory else { throw PasswordHashingFailed() }
        return isRight
    }

    /// Whether the memory for one hash can be had at the moment.
    private static var hasMemory: Bool {
        let memory = mmap(nil, memoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        // MAP_FAILED, which Swift does not import, is -1.
        guard let memory, memory != UnsafeMutableRawPointer(bitPattern: -1) else { return false }
        munmap(memory, memoryBytes)
        return true
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
