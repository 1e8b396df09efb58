import Accounts
import Foundation
import Synchronization
import Testing

@testable import Mail

/// Mail servers. `make test-peers` submits mails to real ones.
struct SMTPTests {
    init() {
        // As the program does: curl may end before it has read the whole mail.
        signal(SIGPIPE, SIG_IGN)
    }

    private func message(to address: String = "lasoren@bu.edu") throws -> InternetMessage {
        var mail = OutboxMail.sample()
        mail.to = address
        return InternetMessage(mail, .sample("1-ab\n"), from: try #require(MailSender("A <postern@example.com>")))
    }

    @Test(arguments: [
        ("smtp://mx.example.com", "smtp://mx.example.com:587", nil), ("smtps://mx", "smtps://mx:465", nil),
        ("smtp://mx:25/me.example.com", "smtp://mx:25/me.example.com", nil),
        ("smtp://[::1]:25", "smtp://[::1]:25", nil),
        ("smtp://[::1]", "smtp://[::1]:587", nil),
        ("smtp://127.0.0.1/[127.0.0.1]", "smtp://127.0.0.1:587/[127.0.0.1]", nil),
        ("smtp://me%40example.com@mx", "smtp://mx:587", "me%40example.com"), ("smtp://me@x.co@mx", nil, nil),
        ("smtp://me:secret@mx", nil, nil), ("smtp://me:@mx", nil, nil), ("smtp://@mx", nil, nil), ("smtp://", nil, nil),
        ("smtp:///x", nil, nil), ("smtp://mx:0", nil, nil), ("smtp://mx:65536", nil, nil), ("smtp://mx:", nil, nil),
        ("smtp://mx:+25", nil, nil), ("smtp://-mx", nil, nil), ("smtp://m x", nil, nil), ("smtp://mx/a b", nil, nil),
        ("smtp://mx?x", nil, nil), ("smtp://mx#x", nil, nil), ("smtp://m%0Ae@mx", nil, nil),
        ("smtp://m%zze@mx", nil, nil),
        ("smtp://m%4@mx", nil, nil), ("smtp://mx\n", nil, nil), ("SMTP://mx", nil, nil), ("smtp://\u{212A}x", nil, nil),
        ("smtp://" + String(repeating: "a", count: 600), nil, nil),
    ])
    func readsURLs(text: String, url: String?, user: String?) throws {
        let server = SMTPServer(text)
        #expect((server == nil) == (url == nil))
        guard let server, let url else { return }
        #expect(server.user == user)
        #expect(server.settings(for: try message(), seconds: 9).hasPrefix("url = \"\(url)\"\n"))
    }

    @Test func givesCurlItsSettings() throws {
        var server = try #require(SMTPServer("smtp://me%40x.co@mx"))
        server.password = "a\"\\ü@:/ "
        let expected = """
            url = "smtp://me%40x.co:a%22%5C%C3%BC%40%3A%2F%20@mx:587"
            mail-from = "<postern@example.com>"
            mail-rcpt = "<lasoren@bu.edu>"
            upload-file = "-"
            max-time = "9"
            connect-timeout = "30"
            ssl-reqd
            globoff
            silent
            show-error
            verbose

            """
        #expect(server.settings(for: try message(), seconds: 9) == expected)
        // Quotes are escaped, so that no address can add a setting.
        let settings = server.settings(for: try message(to: #""a\"b"@x.co"#), seconds: 9)
        #expect(settings.contains(#"mail-rcpt = "<\"a\\\"b\"@x.co>""#))
    }

    /// The settings are written to a pipe before its reader exists, which has room for a page.
    @Test func keepsTheLongestSettingsBelowAPage() throws {
        var server = try #require(SMTPServer("smtp://" + String(repeating: "u", count: 500) + "@mx"))
        server.password = String(repeating: "@", count: Limits.smtpPasswordBytesMax)
        let address = String(repeating: "\"", count: 254)
        #expect(server.settings(for: try message(to: address), seconds: 9).utf8.count < 4_096)
    }

    @Test func readsTheDialogueAndHidesSecrets() {
        let shown = Mutex<[String]>([])
        let dialogue = SMTPDialogue { line in shown.withLock { $0.append(line) } }
        let text = """
            * Connected to mx
            < 220 mx
            > EHLO here
            } [5 bytes data]
            < 250-AUTH LOGIN PLAIN
            > AUTH LOGIN
            < 334 VXNlcm5hbWU6
            > dXNlcg==
            < 334 UGFzc3dvcmQ6
            > c2VjcmV0
            < 454 4.7.0 Not now
            > AUTH PLAIN AHVzZXIAc2VjcmV0
            < 235 2.7.0 Welcome
            > MAIL FROM:<a@b.co>
            < 550-5.7.1 We know you
            < 550 5.7.1 \u{1B}[31mand refuse
            curl: (3) bad range in URL position 30:
            smtp://me:c2VjcmV0@mx:587/[127.0.0.1]
            curl: (55) MAIL failed: 550
            """
        // The bytes come in pieces that end anywhere.
        for piece in text.utf8.split(separator: UInt8(ascii: "5"), omittingEmptySubsequences: false) {
            dialogue.take(Array(piece)[...])
            dialogue.take([UInt8(ascii: "5")])
        }
        dialogue.end()
        let lines = shown.withLock { $0 }
        #expect(!lines.joined().contains("c2VjcmV0") && !lines.joined().contains("dXNlcg") && !lines.contains("} "))
        #expect(lines.filter { $0 == "> […]" }.count == 2)
        #expect(lines.contains("> AUTH LOGIN") && lines.contains("> AUTH PLAIN […]"))
        #expect(lines.contains("> MAIL FROM:<a@b.co>") && !lines.contains { $0.contains("smtp://") })
        #expect(dialogue.refusal == "550 5.7.1 [31mand refuse")
        #expect(dialogue.error == "MAIL failed: 5505")
    }

    /// A program must be able to say why it failed, and a claim must outlast it: else another process sends the mail
    /// too.
    @Test func theTimeOutsFitIntoEachOther() {
        #expect(Limits.smtpConnectSeconds < Limits.smtpSeconds && Limits.smtpSeconds < Limits.programSeconds)
        #expect(Limits.programSeconds + Limits.killSeconds < Limits.claimSeconds)
    }

    @Test func keepsOnlyTheStartOfALongLine() {
        let lines = Mutex<[String]>([])
        let output = OutputLines()
        output.take(Array((String(repeating: "a", count: 1_000_000) + "\nb").utf8)[...]) { line in
            lines.withLock { $0.append(line) }
        }
        output.end { line in lines.withLock { $0.append(line) } }
        #expect(lines.withLock { $0 } == [String(repeating: "a", count: Limits.outputLineBytesMax), "b"])
    }

    /// The server takes the mail and never answers.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func givesUpOnAServerThatHangs(isCancelled: Bool) throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        server.arguments = ["-c", Self.hangingServer]
        let output = Foundation.Pipe()
        (server.standardOutput, server.standardError) = (output, FileHandle.nullDevice)
        try server.run()
        defer { server.terminate() }
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let url = "smtp://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
        let driver = SMTPDriver(try #require(SMTPServer(url)), seconds: isCancelled ? 50 : 2)
        let start = ContinuousClock.now
        if isCancelled {
            Thread {
                Thread.sleep(forTimeInterval: 1)
                driver.cancel()
            }.start()
        }
        let message = try message()
        let failure = try #require(throws: DeliveryFailure.self) { try driver.deliver(message) }
        let reason = isCancelled ? "signal 15 ended curl" : "curl ended with exit code 28: "
        #expect(failure.reason.hasPrefix(reason), "\(failure)")
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    private static let hangingServer = """
        import socket, time
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        connection = listener.accept()[0]
        connection.sendall(b"220 here\\r\\n")
        time.sleep(60)
        """
}
