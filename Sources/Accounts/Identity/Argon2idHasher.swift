internal import CSodium
internal import Glibc

/// Hashes with Argon2id through libsodium: 19,456 KiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
///
/// It holds no state and may be used from several threads at once.
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
        // It fails only where the memory cannot be had.
        guard status == 0 else { throw PasswordHashingFailed() }
        return PasswordHash(text: String(decoding: phc.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    package func verify(_ password: Password, against hash: PasswordHash) throws(PasswordHashingFailed) -> Bool {
        Sodium.makeReady()
        let isRight = password.withCharacters { crypto_pwhash_str_verify(hash.text, $0, $1) == 0 }
        // libsodium tells want of memory as a wrong password, and as a guess it would count towards a lockout.
        guard isRight || Self.hasMemory(for: hash) else { throw PasswordHashingFailed() }
        return isRight
    }

    /// Whether the memory that verifying a hash takes can be had at the moment. A hash that was imported may take more than
    /// those that are made here.
    private static func hasMemory(for hash: PasswordHash) -> Bool {
        let memoryBytes = cost(of: hash).map { $0.kibibytes * 1_024 } ?? Self.memoryBytes
        let memory = mmap(nil, memoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        // MAP_FAILED, which Swift does not import, is -1.
        guard let memory, memory != UnsafeMutableRawPointer(bitPattern: -1) else { return false }
        munmap(memory, memoryBytes)
        return true
    }

    /// Whether a password can be verified against a hash: it is an Argon2id string in PHC form, with bounded cost.
    package static func canVerify(_ hash: PasswordHash) -> Bool {
        let bytes = hash.text.utf8
        guard hash.text.hasPrefix("$argon2id$"), bytes.count < Int(crypto_pwhash_STRBYTES),
            bytes.allSatisfy({ (0x21...0x7E).contains($0) }), let cost = cost(of: hash),
            cost.kibibytes <= kibibytesMax, cost.passes <= passesMax, cost.lanes == 1
        else { return false }
        // It is -1 for a text that it cannot decode.
        return crypto_pwhash_str_needs_rehash(hash.text, passes, memoryBytes) >= 0
    }

    /// The cost in a PHC string: `m=19456,t=2,p=1` is its fourth part.
    private static func cost(of hash: PasswordHash) -> (kibibytes: Int, passes: Int, lanes: Int)? {
        let parts = hash.text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "v=19" else { return nil }
        let numbers = zip(["m=", "t=", "p="], parts[3].split(separator: ",")).compactMap { name, part in
            part.hasPrefix(name) ? Int(part.dropFirst(2)) : nil
        }
        guard numbers.count == 3, parts[3].split(separator: ",").count == 3 else { return nil }
        return (numbers[0], numbers[1], numbers[2])
    }

    /// The most that verifying one password may cost.
    private static let kibibytesMax = 256 << 10
    private static let passesMax = 10

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

extension Password {
    /// Calls `body` with the bytes as libsodium takes them, and clears what is left of them on the stack: the hash
    /// function works on copies.
    fileprivate func withCharacters<Value>(_ body: (UnsafePointer<CChar>, UInt64) -> Value) -> Value {
        defer { sodium_stackzero(16_384) }
        return withUnsafeBytes { bytes in
            // There is no address where there are no bytes; libsodium reads none then.
            guard let start = bytes.baseAddress else { return body("", 0) }
            return body(start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }
    }
}
