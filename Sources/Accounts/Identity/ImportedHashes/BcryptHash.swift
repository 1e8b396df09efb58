internal import CSodium

/// A hash of bcrypt, `$2b$12$` with 22 characters of salt and 31 of hash:
///
///     $2a$ $2b$ $2y$           bcrypt
///     $2x$                     bcrypt of crypt_blowfish before version 1.1, which has a mistake with bytes over 127
///     bcrypt$$2b$12$           Django
///     bcrypt_sha256$$2b$12$    Django: bcrypt of the SHA-256 of the password in hexadecimal
///     $wp$2y$10$               WordPress since version 6.8: bcrypt of the HMAC-SHA-384 of the password in Base64
struct BcryptHash: ImportedHash {
    /// What bcrypt hashes.
    private enum Phrase {
        case password
        case sha256
        case hmacSHA384
    }

    private let phrase: Phrase
    private let setting: String

    init?(_ text: HashScanner) {
        var rest = text
        phrase = rest.skip("bcrypt_sha256$") ? .sha256 : rest.skip("$wp") ? .hmacSHA384 : .password
        if phrase == .password { _ = rest.skip("bcrypt$") }
        let hash = rest
        guard rest.skip("$2a$") || rest.skip("$2b$") || rest.skip("$2x$") || rest.skip("$2y$"),
            // Two digits.
            rest.skip("0")
                ? rest.number(in: 4...9) != nil : rest.number(in: 10...ImportedHashLimits.bcryptCostMax) != nil,
            rest.skip("$"), rest.crypt64(53...53) != nil, rest.isAtEnd
        else { return nil }
        setting = hash.restOfText
    }

    /// bcrypt hashes at most 72 bytes.
    private static let phraseBytesMax = 72
    private static let checksumCharacters = 31

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        let hashed: Password =
            switch phrase {
            case .password: password
            case .sha256: password.sha256Hexadecimal
            case .hmacSHA384: SHA384.hmacBase64(of: password, key: "wp-sha384")
            }
        guard let phrase = hashed.cString(bytesMax: Self.phraseBytesMax),
            let hash = try CryptFunction.hash(phrase, setting: setting)
        else { return false }
        // Some programs leave the unused bits of the salt set; the library clears them.
        return isEqual(
            Array(hash.suffix(Self.checksumCharacters)),
            Array(setting.utf8.suffix(Self.checksumCharacters))
        )
    }
}

extension Password {
    /// The SHA-256 of the password in hexadecimal.
    fileprivate var sha256Hexadecimal: Password {
        Password(capacity: 2 * Int(crypto_hash_sha256_BYTES) + 1) { memory in
            withCharacters { characters, count -> Int in
                var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
                characters.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                    _ = crypto_hash_sha256(&digest, $0, count)
                }
                defer { sodium_memzero(&digest, digest.count) }
                let text = memory.bindMemory(to: CChar.self)
                guard let start = text.baseAddress else { return 0 }
                sodium_bin2hex(start, text.count, digest, digest.count)
                // Without the NUL.
                return text.count - 1
            }
        }
    }
}
