import Foundation
import JSON
import PosternTesting
import Testing

/// Mail delivery by the real program.
struct MailDeliveryTests {
    private let folder = TemporaryDirectory()
    private static let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a+tag@b.co"]
    private static let registration: JSONValue = ["user": person, "password": "p"]

    private func start(_ arguments: [String]) throws -> PosternProcess {
        try PosternProcess(["--data", folder.path("store")] + arguments)
    }

    private var state: String {
        get throws {
            let list = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
            return list.split(separator: "\n").map { String($0.split(separator: "\t")[2]) }.joined(separator: " ")
        }
    }

    @Test func writesFilesThatAStrictParserAccepts() throws {
        try FileManager.default.createDirectory(atPath: folder.path("templates"), withIntermediateDirectories: true)
        let template =
            "Subject: Größe zählt: ein Betreff, der für eine Zeile zu lang ist, und noch etwas länger\n\nÄ {{code}}\n"
        try template.write(toFile: folder.path("templates/operators-reset.txt"), atomically: true, encoding: .utf8)
        let postern = try start([
            "--mail", "directory:\(folder.path("mails"))", "--mail-from", "Größe & \"Söhne\" <accounts@example.com>",
            "--mail-templates", folder.path("templates"), "--public-url", "https://example.com/base/",
        ])
        _ = try postern.reply(to: "operators.register", Self.registration)
        _ = try postern.reply(to: "operators.reset_password", ["email": "A+TAG@b.co"])
        #expect(postern.finish() == "")

        let mails = try StrictMailParser.mails(in: folder.path("mails"))
        #expect(mails.count == 2)
        for mail in mails {
            #expect(mail["to"] == ["a+tag@b.co"])
            #expect(mail["from"]?.array?.first?.string?.hasSuffix("<accounts@example.com>") == true)
            #expect(mail["id"]?.string?.hasSuffix("@example.com>") == true)
        }
        let confirmation = try #require(mails.first { $0["subject"]?.string == "Confirm your email" }?["text"]?.string)
        let link = /\nhttps:\/\/example\.com\/base\/operators\/confirm\?code=1-[0-9a-f]{32}\n/
        #expect(confirmation.contains(link))
        let reset = try #require(mails.first { $0["subject"]?.string?.hasPrefix("Größe zählt: ein Betreff") == true })
        #expect(reset["subject"]?.string?.hasSuffix("und noch etwas länger") == true)
        #expect(reset["text"]?.string?.hasPrefix("Ä 1-") == true)
        #expect(try state == "delivered delivered")
    }

    @Test func passesMailsToACommandAndHidesItsOutput() throws {
        let command = "cat >> \(folder.path("mails")); echo out; echo err >&2"
        let postern = try start(["--mail", "command:\(command)"])
        #expect(try postern.reply(to: "operators.register", Self.registration)["result"] != nil)
        #expect(postern.finish() == "")
        #expect(postern.errorText == "")
        let mail = try String(contentsOfFile: folder.path("mails"), encoding: .utf8)
        #expect(mail.contains("\r\nTo: a+tag@b.co\r\n"))
        let code = try #require(mail.firstMatch(of: /\r\n(1-[0-9a-f]{32})\r\n/)).output.1
        #expect(try state == "delivered")
        // The code is valid, and no longer in the store.
        let store = try #require(FileManager.default.contents(atPath: folder.path("store/journal-1.jsonl")))
        #expect(!String(decoding: store, as: UTF8.self).contains(code))
        let next = try start([])
        let confirmed = try next.reply(to: "operators.confirm_email", ["code": .string(String(code))])
        #expect(confirmed["result"]?["email"]?.string == "a+tag@b.co")
    }

    @Test func answersWhileACommandHangs() throws {
        let postern = try start(["--mail", "command:sleep 60"])
        let start = ContinuousClock.now
        for number in 1...8 {
            let person: JSONValue = ["first_name": "A", "last_name": "B", "email": .string("c\(number)@b.co")]
            let reply = try postern.reply(to: "operators.register", ["user": person, "password": "p"])
            #expect(reply["result"] != nil)
        }
        #expect(ContinuousClock.now - start < .seconds(10))
        postern.closeInput()
        // The next start delivers the waiting mails; the end does not wait long for the command.
        #expect(postern.status == 0)
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(try state == Array(repeating: "waiting", count: 8).joined(separator: " "))
    }

    /// A host that ignores SIGCHLD once caused every refused mail to be marked as delivered.
    @Test func getsACommandsExitCodeWhenTheHostIgnoresSIGCHLD() throws {
        let data = ["--data", folder.path("store")]
        let postern = try PosternProcess(
            data + ["--mail", "command:cat >/dev/null; exit 75"],
            shell: "trap '' CHLD; exec \"$@\""
        )
        _ = try postern.reply(to: "operators.register", Self.registration)
        postern.finish()
        #expect(try state == "waiting")
    }

    @Test func keepsARefusedMailAndLogsNoneOfItsText() throws {
        let refusing = try start(["--mail", "command:cat >&2; exit 75"])
        _ = try refusing.reply(to: "operators.register", Self.registration)
        refusing.finish()
        #expect(try state == "waiting")
        let shown = try PosternProcess.run(["outbox", "show", "1", "--data", folder.path("store")]).output
        #expect(shown.contains("Last error: the command ended with exit code 75"))
        let log = refusing.errorText
        #expect(
            log.contains("level=warning message=\"mail: number 1 could not be delivered and is retried in 60 seconds")
        )
        #expect(!log.contains("a+tag") && !log.contains(/1-[0-9a-f]{32}/))
        #expect(log.split(separator: "\n").count == 1)
    }

    /// `outbox list` once printed only "waiting", however often and why a mail had failed.
    @Test func listsAttemptsTheNextAttemptAndTheCommandsError() throws {
        let refusing = try start(["--mail", "command:cat >/dev/null; echo 'relay says 550' >&2; exit 75"])
        _ = try refusing.reply(to: "operators.register", Self.registration)
        refusing.finish()
        let list = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
        let columns = list.split(separator: "\t", omittingEmptySubsequences: false)
        #expect(columns.count == 8 && columns[5] == "1")
        #expect(columns[6] > columns[1] && columns[6].hasSuffix("Z"))
        #expect(columns[7] == "the command ended with exit code 75: relay says 550")
        // The command's text may contain an address, so the log has only the exit code.
        #expect(refusing.errorText.contains("exit code 75") && !refusing.errorText.contains("relay"))
    }

    /// A misspelt placeholder once went out unchanged in every mail.
    @Test(arguments: [["serve"], ["call", "system.info"], ["outbox", "deliver", "--mail", "command:true"]])
    func refusesAnUnknownPlaceholderAtStart(command: [String]) throws {
        try FileManager.default.createDirectory(atPath: folder.path("templates"), withIntermediateDirectories: true)
        let file = folder.path("templates/sales-reset.txt")
        try "Subject: x\n\nHello,\nyour code: {{cod}}\n".write(toFile: file, atomically: true, encoding: .utf8)
        let flags = ["--data", folder.path("store"), "--mail-templates", folder.path("templates")]
        let outcome = try PosternProcess.run(command + flags)
        #expect(outcome.status == 64)
        let place =
            "postern: --mail-templates: \(file):4: unknown placeholder {{cod}}; the placeholders are {{code}} and {{link}}"
        #expect(outcome.errors.hasPrefix(place) && outcome.errors.filter { $0 == "\n" }.count == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.path("store")))
    }
}
