/// The random values for a mail with a code, drawn before the transaction that posts the mail.
package struct MailSecrets: Sendable {
    /// 128 random bits in hexadecimal.
    let secret: String
    let messageID: String
    /// The key of keyed hashes, used if the store has none.
    let newHashKey: String

    package init(_ random: any RandomSource) {
        secret = random.hex(bytes: Limits.codeDigits / 2)
        messageID = random.hex(bytes: 16)
        newHashKey = random.hex(bytes: 16)
    }
}
