internal import CSodium

/// A hash of Firebase's variant of scrypt, with the parameters of its project, in the form of Supabase:
///
///     $fbscrypt$v=1,n=14,r=8,p=1,ss=SEPARATOR,sk=SIGNERKEY$SALT$HASH
///
/// The hash is the project's signer key, 64 bytes, encrypted by AES-256 in counter mode from 0. The key is scrypt of
/// the password, with the salt and the separator (github.com/firebase/scrypt).
///
/// libsodium exports AES-256 only in GCM, which encrypts in counter mode too (NIST SP 800-38D §7.1). With a nonce of
/// zeros it begins with the counter 2. So the last two of the four blocks of a hash are the ciphertext of the last two
/// blocks of the signer key. Comparing these 32 bytes suffices: they depend on all bits of the key.
struct FirebaseHash: ImportedHash {
    private let cost: ScryptHash.Cost
    private let salt: [UInt8]
    private let plaintext: [UInt8]
    private let ciphertext: [UInt8]

    private static let nonce = [UInt8](repeating: 0, count: Int(crypto_aead_aes256gcm_NPUBBYTES))
    private static let hashBytes = 64
    /// The bytes of the first two blocks.
    private static let skippedBytes = 32

    init?(_ text: HashScanner) {
        var rest = text
        let counts = Self.hashBytes...Self.hashBytes
        guard rest.skip("$fbscrypt$v=1,n="), let logN = rest.number(in: 1...17),
            rest.skip(",r="), let r = rest.number(in: 1...64),
            rest.skip(",p=1,ss="), let separator = rest.base64Field(.padded, Self.saltCounts, upTo: ","),
            rest.skip("sk="), let signerKey = rest.base64Field(.padded, counts),
            let salt = rest.base64Field(.padded, Self.saltCounts), let hash = rest.base64(.padded, counts),
            let cost = ScryptHash.Cost(n: 1 << logN, r: r, p: 1), Self.isAvailable
        else { return nil }
        self.cost = cost
        self.salt = salt + separator
        plaintext = Array(signerKey[Self.skippedBytes...])
        ciphertext = Array(hash[Self.skippedBytes...])
    }

    private static let saltCounts = 1...ImportedHashLimits.saltBytesMax

    /// Whether the processor has the instructions that libsodium needs for AES.
    private static var isAvailable: Bool {
        Sodium.makeReady()
        return crypto_aead_aes256gcm_is_available() == 1
    }

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        guard !password.endsWithNul else { return false }
        let key = try cost.key(of: password, salt: salt, count: Int(crypto_aead_aes256gcm_KEYBYTES))
        var encrypted = [UInt8](repeating: 0, count: plaintext.count)
        var tag = [UInt8](repeating: 0, count: Int(crypto_aead_aes256gcm_ABYTES))
        let count = UInt64(plaintext.count)
        _ = crypto_aead_aes256gcm_encrypt_detached(
            &encrypted,
            &tag,
            nil,
            plaintext,
            count,
            nil,
            0,
            nil,
            Self.nonce,
            key
        )
        return isEqual(encrypted, ciphertext)
    }
}
