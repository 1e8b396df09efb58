internal import CCrypt

/// crypt(3) of libxcrypt.
enum CryptFunction {
    /// The hash of a phrase with the method, cost and salt of a setting; nil if the library does not accept the phrase.
    /// It accepts at most 511 bytes.
    ///
    /// - Parameter phrase: a text that ends with a NUL.
    static func hash(_ phrase: Password, setting: String) throws(PasswordHashingFailed) -> [UInt8]? {
        var output = [CChar](repeating: 0, count: Int(CRYPT_OUTPUT_SIZE))
        let status = phrase.withCharacters { characters, _ in crypt_hash(characters, setting, &output) }
        guard status != ENOMEM else { throw PasswordHashingFailed() }
        return status == 0 ? output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : nil
    }
}
