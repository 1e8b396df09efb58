internal import CSodium
internal import Platform

/// A PHC string of Argon2id or Argon2i, version 1.3 (RFC 9106): `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. Django
/// writes `argon2` before it.
struct Argon2Hash: ImportedHash {
    /// The PHC string.
    private let text: String
    private let memoryBytes: Int

    init?(_ text: HashScanner) {
        var rest = text
        _ = rest.skip("argon2")
        let phc = rest
        guard rest.skip("$argon2id$v=19$m=") || rest.skip("$argon2i$v=19$m="),
            let kibibytes = rest.number(in: 8...ImportedHashLimits.memoryBytesMax >> 10),
            rest.skip(",t="), rest.number(in: 1...ImportedHashLimits.argon2PassesMax) != nil,
            // Each lane has at least eight blocks of 1 KiB.
            rest.skip(",p="), rest.number(in: 1...kibibytes / 8) != nil, rest.skip("$"),
            rest.base64Field(.unpadded, Self.saltBytes) != nil, rest.base64(.unpadded) != nil
        else { return nil }
        self.text = phc.restOfText
        memoryBytes = kibibytes << 10
    }

    /// The length of salts that libsodium accepts at least.
    private static let saltBytes = 8...ImportedHashLimits.saltBytesMax

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        let isRight = password.withCharacters { crypto_pwhash_str_verify(text, $0, $1) == 0 }
        // libsodium reports a lack of memory as a wrong password, which would count towards a lockout.
        guard isRight || canAllocate else { throw PasswordHashingFailed() }
        return isRight
    }

    /// Whether the memory for the verification can be allocated now.
    private var canAllocate: Bool {
        do throws(SystemError) {
            _ = try MappedPages(zeros: memoryBytes)
            return true
        } catch {
            return false
        }
    }
}
