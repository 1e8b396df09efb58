import Accounts
import Foundation
import struct Platform.SystemString
import Testing

@testable import Mail

struct DriverTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString)")
        .path

    init() {
        // As the program does: a command that reads nothing must not end the process that writes to it.
        signal(SIGPIPE, SIG_IGN)
    }

    private func message() throws -> InternetMessage {
        InternetMessage(.sample(), .sample("1-ab\n"), from: try #require(MailSender("postern@example.com")))
    }

    @Test func writesAWholeFileThatOnlyItsOwnerCanRead() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let driver = DirectoryDriver(path: SystemString(folder))
        try driver.deliver(try message())
        // A second delivery of the same mail, as after a crash, writes the same file.
        try driver.deliver(try message())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["2016-02-24T22:07:52.371513Z-8c1f.eml"])
        let file = "\(folder)/2016-02-24T22:07:52.371513Z-8c1f.eml"
        #expect(FileManager.default.contents(atPath: file) == Data(try message().bytes))
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// A link under the temporary name of a mail would redirect the mail into the link's target.
    @Test func followsNoSymbolicLinkInItsDirectory() throws {
        let target = folder + ".target"
        defer { for path in [folder, target] { try? FileManager.default.removeItem(atPath: path) } }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try "mine".write(toFile: target, atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: folder + "/.8c1f.partial", withDestinationPath: target)
        try DirectoryDriver(path: SystemString(folder)).deliver(try message())
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "mine")
        let name = "2016-02-24T22:07:52.371513Z-8c1f.eml"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [name])
        let type = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.type] as? FileAttributeType
        #expect(type == .typeRegular)
    }

    @Test func reportsWhyADirectoryCannotBeUsed() throws {
        let message = try message()
        #expect(throws: DeliveryFailure("mkdir in the mail directory: No such file or directory")) {
            try DirectoryDriver(path: "/nonexistent/mails").deliver(message)
        }
        #expect(throws: DeliveryFailure("open in the mail directory: Not a directory")) {
            try DirectoryDriver(path: "/dev/null").deliver(message)
        }
    }

    @Test func passesTheMessageToACommand() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try CommandDriver(command: SystemString("cat > '\(folder)'; echo printed; echo printed >&2")).deliver(
            try message()
        )
        #expect(FileManager.default.contents(atPath: folder) == Data(try message().bytes))
    }

    @Test func trustsTheCommandsExitCode() throws {
        let message = try message()
        // The command reads nothing, and reports success.
        try CommandDriver(command: "true").deliver(message)
        #expect(throws: DeliveryFailure("the command ended with exit code 75")) {
            try CommandDriver(command: "cat >/dev/null; exit 75").deliver(message)
        }
        #expect(throws: DeliveryFailure("the command ended with exit code 127")) {
            try CommandDriver(command: "/nonexistent/sendmail -t -i 2>/dev/null").deliver(message)
        }
        #expect(throws: DeliveryFailure("signal 9 ended the command")) {
            try CommandDriver(command: "kill -9 $$").deliver(message)
        }
    }

    /// The command's error output was once discarded, and only its exit code was known.
    @Test func keepsTheEndOfACommandsErrorOutput() throws {
        let message = try message()
        let failure = DeliveryFailure("the command ended with exit code 67", detail: "relay: 550 no such user")
        #expect(throws: failure) {
            try CommandDriver(command: "cat >/dev/null; echo 'relay:\t550' >&2; echo no such user >&2; exit 67")
                .deliver(message)
        }
        #expect(failure.fullReason == "the command ended with exit code 67: relay: 550 no such user")
        // More output than a pipe holds, before the command reads a byte.
        let many = "for i in $(seq 20000); do echo line $i; done >&2; cat >/dev/null; exit 1"
        let error = try #require(throws: DeliveryFailure.self) {
            try CommandDriver(command: SystemString(many)).deliver(message)
        }
        #expect(error.detail?.hasSuffix(" line 19999 line 20000") == true)
        #expect((400...500).contains(error.detail?.utf8.count ?? 0))
        // A background process of the command holds the pipe open, and is not waited for.
        let start = ContinuousClock.now
        #expect(throws: DeliveryFailure("the command ended with exit code 1", detail: "x")) {
            try CommandDriver(command: "sleep 20 & echo x >&2; exit 1").deliver(message)
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    /// A command that quotes the mail must not put the mail's code
    /// into a text that stays when the mail's text is erased.
    @Test(arguments: [
        ("1-5f0c2d3e4b5a69788796a5b4c3d2e1f0 for you\n", nil), ("1-5f0c2d3e4b5a69788796a5b4c3d2e1f0 für dich\n", nil),
        ("Für dich\n", "<b>1-5f0c2d3e4b5a69788796a5b4c3d2e1f0</b>"),
        ("Für dich\n", "<b>1-5f0c2d3e4b5a69788796a5b4c3d2e1f0 für dich</b>"),
    ])
    func removesQuotesOfTheMailFromACommandsOutput(text: String, html: String?) throws {
        let code = "1-5f0c2d3e4b5a69788796a5b4c3d2e1f0"
        let content = OutboxText.sample(text, html: html)
        let message = InternetMessage(.sample(), content, from: try #require(MailSender("postern@example.com")))
        for command in [
            "cat >&2; exit 1", "cat >/dev/null; echo 'refused: \(code)' >&2; exit 1", "tail -c 40 >&2; exit 1",
        ] {
            let error = try #require(throws: DeliveryFailure.self) {
                try CommandDriver(command: SystemString(command)).deliver(message)
            }
            let detail = error.detail ?? ""
            #expect(!detail.contains(code.suffix(8)) && !detail.contains(code.prefix(10)), "\(detail)")
            for part in [text, html ?? text] {
                let encoded = Data(part.utf8).base64EncodedString()
                #expect(!detail.contains(encoded.prefix(12)), "\(detail)")
            }
        }
    }

    @Test func endsACommandThatHangs() throws {
        let message = try message()
        let start = ContinuousClock.now
        #expect(throws: DeliveryFailure("the command took longer than 1 seconds")) {
            try CommandDriver(command: "sleep 30", seconds: 1).deliver(message)
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func sendsSIGTERMToACommandThatHangs() throws {
        let message = try message()
        let command = "trap 'echo asked >&2; exit 0' TERM; sleep 60 & wait"
        #expect(throws: DeliveryFailure("the command took longer than 1 seconds", detail: "asked")) {
            try CommandDriver(command: SystemString(command), seconds: 1).deliver(message)
        }
    }

    @Test func aSleepingCommandDoesNotDelayOthers() throws {
        let message = try message()
        let sleeper = CommandDriver(command: "exec sleep 60")
        // A background process of a command would hold another command's input open, had it inherited that.
        let driver = CommandDriver(command: "cat >/dev/null; sleep 20 &")
        let start = ContinuousClock.now
        let count = 8
        let done = DispatchSemaphore(value: 0)
        for thread in 0..<count {
            Thread {
                if thread == 0 { try? sleeper.deliver(message) }
                for _ in 0..<25 where thread > 0 { try? driver.deliver(message) }
                done.signal()
            }.start()
        }
        for _ in 1..<count { done.wait() }
        #expect(ContinuousClock.now - start < .seconds(10))
        sleeper.cancel()
        done.wait()
    }

    @Test(arguments: [
        ("keep", MailRoute.keep), ("directory:/a:b", .directory("/a:b")),
        ("command:sendmail -t -i", .command("sendmail -t -i")), ("command:", nil), ("directory:", nil), ("keep:", nil),
        ("smtp:x", nil), ("smtp://u:p@x", nil), ("", nil),
    ])
    func readsRoutes(text: String, route: MailRoute?) {
        #expect(MailRoute(SystemString(text)) == route)
    }
}
