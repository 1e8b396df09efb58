/// The random parts of a mail with a code, drawn before the transaction that posts it.
package struct MailSecrets: Sendable {
    /// 128 bits.
    let secret: String
    let messageID: String
    /// The key of the store's address hashes, should it have none yet.
    let newHashKey: String

    package init(_ random: any RandomSource) {
        secret = random.hex(bytes: Limits.codeDigits / 2)
        messageID = random.hex(bytes: 16)
        newHashKey = random.hex(bytes: 16)
    }
}
