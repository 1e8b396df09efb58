package import Accounts
internal import CSodium
internal import Platform

/// A mail in the Internet Message Format (RFC 5322): ASCII lines that end with CRLF:
///
///     Date: Wed, 24 Feb 2016 22:07:52 +0000
///     From: postern@example.com
///     To: lasoren@bu.edu
///     Subject: Confirm your email
///     Message-ID: <8c1f…@example.com>
///     MIME-Version: 1.0
///     Content-Type: text/plain; charset=utf-8
///     Content-Transfer-Encoding: 7bit
///     Auto-Submitted: auto-generated
///
///     Confirm your email with this code: …
///
/// A mail with an HTML part is `multipart/alternative` (RFC 2046 §5.1.4): the plain text first, then the HTML. An ASCII
/// text is sent unchanged, any other in base64. No value can break out of its header: names and subjects with
/// other than printable ASCII become encoded words (RFC 2047), and the grammar of addresses allows no control
/// characters.
package struct InternetMessage: Sendable {
    /// The Message-ID, without angle brackets. It never changes.
    package let messageID: String
    /// When the mail was posted.
    package let created: Timestamp
    /// The whole message.
    package let bytes: [UInt8]
    /// The text and the HTML part before encoding.
    let text: String
    /// All words of the mail, encoded and not.
    var words: [UInt8] { bytes + Array(text.utf8) }
    /// The address of the recipient.
    let recipient: String
    /// The address of the sender.
    let sender: String

    /// - Parameters:
    ///   - mail: the outbox record of the mail.
    ///   - content: its text, in which lines end with a line feed, and its HTML part.
    ///   - sender: the sender.
    package init(_ mail: OutboxMail, _ content: OutboxText, from sender: MailSender) {
        messageID = mail.messageID
        created = mail.created
        (recipient, self.sender) = (mail.to, sender.address)
        text = [content.text, content.html ?? ""].joined(separator: "\n")
        let plain = Self.part(content.text, "text/plain")
        let body = content.html.map { Self.alternatives(plain, Self.part($0, "text/html"), of: mail) } ?? plain
        let headers = [
            "Date: \(MailDate.text(ofSeconds: Int(mail.created.seconds)))",
            "From: \(Self.mailbox(of: sender))",
            "To: \(mail.to)",
            "Subject: \(Self.unstructured(mail.subject))",
            "Message-ID: <\(mail.messageID)>",
            "MIME-Version: 1.0",
        ]
        // RFC 3834 §5: prevents automatic replies, such as absence notes.
        let lines = headers + body.headers + ["Auto-Submitted: auto-generated", "", body.text]
        bytes = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// A mail with which an administrator tests the delivery. It contains no code.
    ///
    /// - Parameter messageID: the Message-ID, without angle brackets.
    package init(testTo recipient: EmailAddress, from sender: MailSender, messageID: String, at time: Timestamp) {
        let mail = OutboxMail(
            id: 0,
            kind: "test",
            to: recipient.text,
            subject: "Test mail",
            messageID: messageID,
            created: time,
            expires: time,
            state: "waiting",
            attempts: 0,
            nextAttempt: nil,
            lastError: nil,
            account: nil
        )
        let text = "This mail was sent by postern mail test. Mails to this address are delivered.\n"
        let content = OutboxText(id: 0, text: text, code: nil, link: nil, html: nil, locale: nil)
        self.init(mail, content, from: sender)
    }

    // MARK: Headers

    private static func mailbox(of sender: MailSender) -> String {
        guard let name = sender.name else { return sender.address }
        return "\(phrase(name)) <\(sender.address)>"
    }

    /// A display name, in quotes (RFC 5322 §3.2.4) or as encoded words.
    private static func phrase(_ name: String) -> String {
        guard isPrintable(name) else { return encodedWords(of: name) }
        return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// A subject, unchanged or as encoded words. It is also encoded if it is long or looks like encoded words.
    private static func unstructured(_ text: String) -> String {
        isPrintable(text) && text.utf8.count <= 60 && !text.contains("=?") ? text : encodedWords(of: text)
    }

    private static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// Encoded words by RFC 2047 §2, in base64, one per line. Each contains whole characters.
    private static func encodedWords(of text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > Limits.encodedWordTextBytesMax { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(base64($0))?=" }.joined(separator: "\r\n ")
    }

    // MARK: The body

    /// A body, or a part of one: its headers, and its encoded text, which ends with CRLF.
    private typealias Part = (headers: [String], text: String)

    private static func part(_ text: String, _ type: String) -> Part {
        let isPlain = isPlain(text)
        let headers = [
            "Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
        ]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = (lines.last == "" ? lines.dropLast() : lines[...]).joined(separator: "\r\n") + "\r\n"
        return (headers, isPlain ? body : base64Lines(of: body))
    }

    /// The body of parts with the same content, the preferred one last.
    private static func alternatives(_ parts: Part..., of mail: OutboxMail) -> Part {
        // The boundary is the same at each attempt. A hash of the random Message-ID is in no template, and base64 has
        // no `_`.
        let boundary = "=_\(SecretToken.Hash(of: mail.messageID).text.prefix(32))"
        let text = parts.map { part in
            "--\(boundary)\r\n" + (part.headers + ["", part.text]).joined(separator: "\r\n") + "\r\n"
        }
        return (
            ["Content-Type: multipart/alternative; boundary=\"\(boundary)\""],
            text.joined() + "--\(boundary)--\r\n"
        )
    }

    /// Whether a text can be sent unchanged: ASCII without NUL and CR, in lines of limited length (RFC 5322 §2.3).
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 < 0x80 && $0 != 0 && $0 != 0x0D }
            && text.utf8.split(separator: 0x0A).allSatisfy { $0.count <= Limits.lineBytesMax }
    }

    /// The text in base64, in lines of 76 characters (RFC 2045 §6.8).
    private static func base64Lines(of text: String) -> String {
        let encoded = Array(base64(Array(text.utf8)).utf8)
        return stride(from: 0, to: encoded.count, by: 76).map { start in
            String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self) + "\r\n"
        }.joined()
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let count = sodium_base64_encoded_len(bytes.count, sodium_base64_VARIANT_ORIGINAL)
        var text = [CChar](repeating: 0, count: count)
        sodium_bin2base64(&text, count, bytes, bytes.count, sodium_base64_VARIANT_ORIGINAL)
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
