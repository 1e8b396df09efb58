package import Store

/// The random parts of a mail with a code, drawn before the transaction that posts it.
package struct MailSecrets {
    let secret: String
    let messageID: String

    package init(_ random: any RandomSource) {
        secret = random.hex(bytes: 16)
        messageID = random.hex(bytes: 16)
    }
}

extension Outbox {
    /// Issues a code and posts the mail that brings it, unless too many such mails went to the address of late; then
    /// nothing changes, and the code before stays good.
    package func post(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        of codes: MailedCodes,
        for holder: Int,
        to address: EmailAddress,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        guard try admits(kind, to: address, at: now, in: tx) else { return }
        let code = try codes.issue(purpose, for: holder, secret: mail.secret, at: now, in: tx)
        let seconds = purpose.seconds
        try post(kind, to: address, secret: code, messageID: mail.messageID, goodFor: seconds, at: now, in: tx)
    }
}
