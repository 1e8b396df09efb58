package import Accounts
internal import CSodium
internal import Platform

/// A mail as it travels (RFC 5322), in ASCII lines that end with CRLF:
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
/// A text of ASCII travels as it is; any other in base64. Nothing in a header can end it: names and subjects with other
/// than printable ASCII become encoded words (RFC 2047), and addresses hold no control characters by their grammar.
package struct InternetMessage: Sendable {
    /// What names the message for good, without angle brackets.
    package let messageID: String
    /// When it was written.
    package let created: Timestamp
    /// The whole message.
    package let bytes: [UInt8]
    /// What it says, as it is before it is encoded.
    let text: String

    /// - Parameters:
    ///   - mail: what the outbox knows of the mail.
    ///   - text: what it says, with lines ended by a line feed.
    ///   - sender: whom it is from.
    package init(_ mail: OutboxMail, text: String, from sender: MailSender) {
        messageID = mail.messageID
        created = mail.created
        self.text = text
        let isPlain = Self.isPlain(text)
        let headers = [
            "Date: \(MailDate.text(ofSeconds: Int(mail.created.seconds)))",
            "From: \(Self.mailbox(of: sender))",
            "To: \(mail.to)",
            "Subject: \(Self.unstructured(mail.subject))",
            "Message-ID: <\(mail.messageID)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
            // RFC 3834 §5: so that nobody's absence note answers it.
            "Auto-Submitted: auto-generated",
        ]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = (lines.last == "" ? lines.dropLast() : lines[...]).joined(separator: "\r\n") + "\r\n"
        let travelling = isPlain ? body : Self.base64Lines(of: body)
        bytes = Array((headers + ["", travelling]).joined(separator: "\r\n").utf8)
    }

    // MARK: Headers

    private static func mailbox(of sender: MailSender) -> String {
        guard let name = sender.name else { return sender.address }
        return "\(phrase(name)) <\(sender.address)>"
    }

    /// A name: in quotes (RFC 5322 §3.2.4), or as encoded words.
    private static func phrase(_ name: String) -> String {
        guard isPrintable(name) else { return encodedWords(of: name) }
        return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// A subject: as it is, or as encoded words, also where it is long or looks like encoded words itself.
    private static func unstructured(_ text: String) -> String {
        isPrintable(text) && text.utf8.count <= 60 && !text.contains("=?") ? text : encodedWords(of: text)
    }

    private static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// RFC 2047 §2, in base64, each word a line of its own and of whole characters.
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

    /// Whether a text may travel as it is: ASCII without NUL and CR, in lines of bounded length (RFC 5322 §2.3).
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 < 0x80 && $0 != 0 && $0 != 0x0D }
            && text.utf8.split(separator: 0x0A).allSatisfy { $0.count <= Limits.lineBytesMax }
    }

    /// RFC 2045 §6.8: lines of 76 characters.
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
