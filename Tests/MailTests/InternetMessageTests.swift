import Accounts
import Testing

@testable import Mail

struct InternetMessageTests {
    @Test func rendersHeadersAndText() throws {
        #expect(
            try text(subject: "Confirm your email", body: "Code:\n\n1-ab\n")
                == [
                    "Date: Wed, 24 Feb 2016 22:07:52 +0000",
                    "From: postern@example.com",
                    "To: lasoren@bu.edu",
                    "Subject: Confirm your email",
                    "Message-ID: <8c1f@example.com>",
                    "MIME-Version: 1.0",
                    "Content-Type: text/plain; charset=utf-8",
                    "Content-Transfer-Encoding: 7bit",
                    "Auto-Submitted: auto-generated",
                    "",
                    "Code:",
                    "",
                    "1-ab",
                    "",
                ].joined(separator: "\r\n")
        )
    }

    @Test func addsAMissingLineEndAtTheEnd() throws {
        #expect(try text(subject: "s", body: "one\ntwo").hasSuffix("\r\n\r\none\r\ntwo\r\n"))
    }

    @Test(arguments: [
        ("Ünïcode", "=?utf-8?B?w5xuw69jb2Rl?="),
        // The example of RFC 2047 §8, in base64 instead of Q.
        ("Keld Jørn Simonsen", "=?utf-8?B?S2VsZCBKw7hybiBTaW1vbnNlbg==?="),
        ("=?utf-8?Q?trick?=", "=?utf-8?B?PT91dGYtOD9RP3RyaWNrPz0=?="),
        ("two\r\nBcc: x@y.zz", "=?utf-8?B?dHdvDQpCY2M6IHhAeS56eg==?="),
    ])
    func encodesSubjectsThatAreNotPrintableASCII(subject: String, expected: String) throws {
        #expect(try text(subject: subject, body: "x").contains("\r\nSubject: \(expected)\r\n"))
    }

    @Test func foldsALongSubjectBetweenCharacters() throws {
        let lines = try text(subject: String(repeating: "é", count: 100), body: "x").split(separator: "\r\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
        let words = lines[start...].prefix { $0.hasPrefix("Subject: ") || $0.hasPrefix(" ") }
        #expect(words.count == 5)
        #expect(words.allSatisfy { $0.utf8.count <= 76 + "Subject: ".utf8.count })
        #expect(Set(words.dropLast().map { $0.split(separator: "?").dropLast().last }).count == 1)
    }

    @Test(arguments: ["Grüße\n", "NUL \0\n", "CR \r\n", String(repeating: "x", count: 999)])
    func encodesTextsInBase64IfNecessary(body: String) throws {
        let message = try text(subject: "s", body: body)
        #expect(message.contains("\r\nContent-Transfer-Encoding: base64\r\n"))
        #expect(message.utf8.allSatisfy { $0 < 0x80 && $0 != 0 })
        #expect(message.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
    }

    /// The blank line before each boundary ends the part's last line: the CRLF before a boundary is not of the part
    /// (RFC 2046 §5.1.1).
    @Test func rendersAnHTMLPartAfterTheText() throws {
        #expect(
            try text(subject: "s", body: "Code:\n1-ab\n", html: "<p>Grüße</p>\n")
                == [
                    "Date: Wed, 24 Feb 2016 22:07:52 +0000",
                    "From: postern@example.com",
                    "To: lasoren@bu.edu",
                    "Subject: s",
                    "Message-ID: <8c1f@example.com>",
                    "MIME-Version: 1.0",
                    "Content-Type: multipart/alternative; boundary=\"=_BOUNDARY\"",
                    "Auto-Submitted: auto-generated",
                    "",
                    "--=_BOUNDARY",
                    "Content-Type: text/plain; charset=utf-8",
                    "Content-Transfer-Encoding: 7bit",
                    "",
                    "Code:",
                    "1-ab",
                    "",
                    "--=_BOUNDARY",
                    "Content-Type: text/html; charset=utf-8",
                    "Content-Transfer-Encoding: base64",
                    "",
                    "PHA+R3LDvMOfZTwvcD4NCg==",
                    "",
                    "--=_BOUNDARY--",
                    "",
                ].joined(separator: "\r\n").replacing("BOUNDARY", with: boundary)
        )
    }

    /// BLAKE2b-256 of "8c1f@example.com", as `b2sum -l 256` prints it, cut to 32 digits.
    private let boundary = "0dae20d9bb90aafcc5016fb465c2e9d4"

    @Test(arguments: [
        ("accounts@example.com", "From: accounts@example.com"),
        ("Example <accounts@example.com>", "From: \"Example\" <accounts@example.com>"),
        (#"The "Ex\ample" <a@b.co>"#, #"From: "The \"Ex\\ample\"" <a@b.co>"#),
        ("Größe <a@b.co>", "From: =?utf-8?B?R3LDtsOfZQ==?= <a@b.co>"),
        ("root@localhost", "From: root@localhost"),
    ])
    func writesTheSender(sender: String, expected: String) throws {
        #expect(try text(subject: "s", body: "x", from: sender).contains("\r\n\(expected)\r\n"))
    }

    @Test(arguments: [
        "", "nobody", "a@b", "Name <a@b.co", "a@b.co\r\nBcc: x@y.zz", "A\u{7F} <a@b.co>", "<>", "a b@c.co",
    ])
    func refusesInvalidSenders(text: String) {
        #expect(MailSender(text) == nil)
    }

    @Test(arguments: [
        ("https://accounts.example.com/base", "postern@accounts.example.com"),
        ("http://example.com:8080", "postern@example.com"),
        ("http://user@example.com", "postern@example.com"),
        ("http://localhost", "postern@localhost"),
        ("http://[::1]:80", "postern@localhost"),
        ("http://127.0.0.1", "postern@localhost"),
    ])
    func derivesTheSenderFromThePublicURL(url: String, expected: String) {
        #expect(MailSender(hostOf: url).address == expected)
    }

    private func text(
        subject: String,
        body: String,
        html: String? = nil,
        from sender: String = "postern@example.com"
    ) throws -> String {
        let mail = OutboxMail.sample(subject: subject)
        let message = InternetMessage(mail, .sample(body, html: html), from: try #require(MailSender(sender)))
        return String(decoding: message.bytes, as: UTF8.self)
    }
}

extension OutboxMail {
    static func sample(subject: String = "s") -> OutboxMail {
        let created = Timestamp(microseconds: 1_456_351_672_371_513)
        return OutboxMail(
            id: 1,
            kind: MailKind.operatorsReset.rawValue,
            to: "lasoren@bu.edu",
            subject: subject,
            messageID: "8c1f@example.com",
            created: created,
            expires: created.adding(seconds: 3_600),
            state: OutboxMail.State.waiting.rawValue,
            attempts: 0,
            nextAttempt: created,
            lastError: nil,
            account: nil
        )
    }
}

extension OutboxText {
    static func sample(_ text: String, html: String? = nil, locale: String? = nil) -> OutboxText {
        OutboxText(id: 1, text: text, code: nil, link: nil, html: html, locale: locale)
    }
}
