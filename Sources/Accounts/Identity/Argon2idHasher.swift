internal import CSodium
internal import Platform

/// Hashes with Argon2id through libsodium: 19,456 KiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
///
/// It has no state, and several threads may use it at once.
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
        let isRight = password.withCharacters { crypto_pwhash_str_verify(hash.text, $0, $1) == 0 }
        // libsodium reports a lack of memory as a wrong password, which would count towards a lockout.
        guard isRight || Self.hasMemory(for: hash) else { throw PasswordHashingFailed() }
        return isRight
    }

    /// Whether the memory for verifying a hash can be allocated now. An imported hash may need more than a hash that
    /// was made here.
    private static func hasMemory(for hash: PasswordHash) -> Bool {
        var text = hash.text
        let memoryBytes = text.withUTF8 { PHCCost($0) }.map { $0.kibibytes * 1_024 } ?? Self.memoryBytes
        do throws(SystemError) {
            _ = try MappedPages(zeros: memoryBytes)
            return true
        } catch {
            return false
        }
    }

    /// Whether a password can be verified against a hash: an Argon2id hash in PHC string form, with limited cost.
    package static func canVerify(_ hash: PasswordHash) -> Bool {
        var text = hash.text
        let isBounded = text.withUTF8 { bytes in
            guard bytes.count < Int(crypto_pwhash_STRBYTES), bytes.allSatisfy({ (0x21...0x7E).contains($0) }),
                let cost = PHCCost(bytes)
            else { return false }
            return cost.kibibytes <= kibibytesMax && cost.passes <= passesMax && cost.lanes == 1
        }
        // The call returns -1 for a text that it cannot decode.
        return isBounded && crypto_pwhash_str_needs_rehash(text, passes, memoryBytes) >= 0
    }

    /// The maximum cost of verifying one password.
    private static let kibibytesMax = 256 << 10
    private static let passesMax = 10

    package func needsRehash(_ hash: PasswordHash) -> Bool {
        crypto_pwhash_str_needs_rehash(hash.text, Self.passes, Self.memoryBytes) != 0
    }

    /// A hash of 32 random bytes that were not kept, made with the parameters above.
    package var decoy: PasswordHash {
        PasswordHash(
            text: "$argon2id$v=19$m=19456,t=2,p=1$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"
        )
    }
}

/// The cost that a PHC string of Argon2id states: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
///
/// It is parsed byte by byte, because an import parses one for each account.
private struct PHCCost {
    let kibibytes: Int
    let passes: Int
    let lanes: Int

    /// Parses the cost; nil if the text does not start like such a string. Only libsodium checks the salt and the hash.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        var rest = text[...]
        func skip(_ word: StaticString) -> Bool {
            let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            guard rest.starts(with: bytes) else { return false }
            rest = rest.dropFirst(bytes.count)
            return true
        }
        func number() -> Int? {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            return digits.reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
        }
        guard skip("$argon2id$v=19$m="), let kibibytes = number(), skip(",t="), let passes = number(), skip(",p="),
            let lanes = number(), skip("$")
        else { return nil }
        (self.kibibytes, self.passes, self.lanes) = (kibibytes, passes, lanes)
    }
}

extension Password {
    /// Calls `body` with the bytes as libsodium takes them, then zeros the stack, where the hash function leaves
    /// copies.
    fileprivate func withCharacters<Value>(_ body: (UnsafePointer<CChar>, UInt64) -> Value) -> Value {
        defer { sodium_stackzero(16_384) }
        return withUnsafeBytes { bytes in
            // The address is nil if there are no bytes. libsodium reads none then.
            guard let start = bytes.baseAddress else { return body("", 0) }
            return body(start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }
    }
}
