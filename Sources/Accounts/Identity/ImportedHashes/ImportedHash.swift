internal import CSodium

/// A password's hash that another program made. `postern import` accepts the families below, within bounds of their
/// cost, and a sign-in replaces such a hash by one of the hasher.
///
/// | family | forms |
/// | --- | --- |
/// | `Argon2Hash` | PHC strings of Argon2id and Argon2i, alone or after Django's `argon2` |
/// | `BcryptHash` | `$2a$`, `$2b$`, `$2x$`, `$2y$`; Django's `bcrypt$` and `bcrypt_sha256$`; WordPress's `$wp$2y$` |
/// | `CryptHash` | `$1$`, `$5$`, `$6$` and `$y$` of crypt(3) |
/// | `PBKDF2Hash` | with SHA-1, SHA-256 and SHA-512: PHC strings, and the forms of Django, Passlib and Werkzeug |
/// | `ScryptHash` | PHC strings, and the forms of Django and Werkzeug |
/// | `FirebaseHash` | `$fbscrypt$`: Firebase's variant of scrypt, if the processor has instructions for AES |
/// | `PhpassHash` | `$P$` of phpass, which WordPress used before version 6.8 |
///
/// The validation of records and the verification of passwords use the same parser, so each accepted hash can be
/// verified.
protocol ImportedHash: Sendable {
    /// Parses the text of a hash; nil if it is not of this family, or its cost is over a bound.
    init?(_ text: HashScanner)

    /// Whether the hash is of this password.
    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool
}

extension PasswordHash {
    /// The hash as a member of its family; nil if no password can be verified against it.
    var imported: (any ImportedHash)? {
        var text = text
        return text.withUTF8 { bytes in
            // libsodium decodes some bytes over 127 as Base64.
            guard bytes.count <= Self.bytesMax, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            let scanner = HashScanner(bytes)
            for family in Self.families {
                if let hash = family.init(scanner) { return hash }
            }
            return nil
        }
    }

    /// The maximum length of a hash's text. The longest accepted salts and hashes fit into it.
    private static let bytesMax = 512

    private static let families: [any ImportedHash.Type] = [
        Argon2Hash.self, BcryptHash.self, CryptHash.self, PBKDF2Hash.self, ScryptHash.self, FirebaseHash.self,
        PhpassHash.self,
    ]
}

/// The bounds of the cost of one verification, which takes seconds at most.
enum ImportedHashLimits {
    static let memoryBytesMax = 256 << 20
    static let argon2PassesMax = 10
    static let bcryptCostMax = 15
    static let cryptRoundsMax = 1_000_000
    static let pbkdf2IterationsMax = 10_000_000
    static let scryptNMax = 1 << 17
    static let scryptParallelismMax = 16
    /// The salts and hashes, decoded.
    static let saltBytesMax = 128
    static let hashBytes = 16...64
}

/// Compares in constant time for values of the same length.
func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && sodium_memcmp(left, right, left.count) == 0
}
