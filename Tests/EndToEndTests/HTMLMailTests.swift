import Foundation
import JSON
import PosternTesting
import Testing

/// Mails with an HTML part, sent by the real program.
struct HTMLMailTests {
    private let folder = TemporaryDirectory()
    private let templates = TemporaryDirectory()

    private func write(_ name: String, _ text: String) throws {
        let file = templates.path(name)
        let directory = URL(fileURLWithPath: file).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    private func start(_ arguments: [String]) throws -> PosternProcess {
        let flags = ["--data", folder.path("store"), "--mail-templates", templates.path]
        return try PosternProcess(flags + ["--public-url", "https://x.co/a&b"] + arguments)
    }

    private func register(_ email: String = "a@b.co", locale: String? = nil, in postern: PosternProcess) throws {
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": .string(email)]
        var params: [JSONValue.Property] = [.init("user", person), .init("password", "p")]
        if let locale { params.append(.init("locale", .string(locale))) }
        #expect(try postern.reply(to: "operators.register", .object(params))["result"] != nil)
    }

    @Test func sendsBothPartsAndErasesTheirCodes() throws {
        try write("operators-confirmation.txt", "Subject: Größe\n\nCode:\n{{code}}\n")
        try write("operators-confirmation.html", "<p>Größe: <a href=\"{{link}}\">{{code}}</a>\n.\n..\nEnd")
        try write("de/operators-confirmation.txt", "Subject: Deutsch\n\n{{code}}\n")
        let mailbox = TemporaryDirectory()
        let postern = try start(["--mail", "directory:\(mailbox.path)"])
        try register(in: postern)
        try register("de@b.co", locale: "de", in: postern)
        #expect(postern.finish() == "" && postern.errorText == "")
        let mails = try StrictMailParser.mails(in: mailbox.path)
        let mail = try #require(mails.first { $0["to"] == ["a@b.co"] })
        let code = try #require(mail["text"]?.string?.wholeMatch(of: /Code:\n(1-[0-9a-f]{32})\n/)?.1)
        let link = "https://x.co/a&amp;b/operators/confirm?code=\(code)"
        #expect(mail["html"]?.string == "<p>Größe: <a href=\"\(link)\">\(code)</a>\n.\n..\nEnd\n")
        #expect(mail["subject"] == "Größe")
        let german = try #require(mails.first { $0["to"] == ["de@b.co"] })
        #expect(german["subject"] == "Deutsch" && german["html"] == .null)
        #expect(!String(decoding: folder.contents, as: UTF8.self).contains(code))
    }

    @Test func givesTheHostTheHTMLPartAndTheLocale() throws {
        try write("operators-reset.txt", "Subject: x\n\n{{code}}\n")
        try write("operators-reset.html", "<p>{{code}}")
        let postern = try start(["--mail", "host", "--admin"])
        try register(locale: "pt-BR", in: postern)
        let confirmation = try #require(postern.nextReply()["params"])
        #expect(confirmation["html"] == nil && confirmation["locale"] == "pt-BR")
        #expect(try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])["error"] == nil)
        let request = try postern.nextReply()
        let params = try #require(request["params"])
        let code = try #require(params["code"]?.string)
        #expect(params["html"]?.string == "<p>\(code)" && params["locale"] == "pt-BR")
        #expect(params["link"]?.string == "https://x.co/a&b/operators/reset?code=\(code)")
        let shown = try postern.reply(to: "admin.outbox.show", ["id": params["id"] ?? .null])["result"]
        #expect(shown?["html"] == params["html"] && shown?["text"] == params["text"])
        postern.send(#"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? ""),"result":null}"#)
        postern.finish()
        let export = try PosternProcess.run(["export", "--data", folder.path("store")])
        #expect(export.status == 0 && export.output.contains(#""kind":"operators-reset""#))
        #expect(!export.output.contains(code) && !export.output.contains("<p>"))
    }

    /// The waiting mails of an account are deleted with it. A store with HTML parts also passes the check, and survives
    /// an export and import.
    @Test func deletesTheHTMLPartWithTheAccount() throws {
        try write("care-confirmation.txt", "Subject: x\n\n{{code}}\n")
        try write("care-confirmation.html", "<p>é {{code}}</p>\n")
        let postern = try start([])
        let session = try CareSession(postern)
        postern.finish()
        let data = ["--data", folder.path("store")]
        let export = try PosternProcess.run(["export"] + data)
        #expect(export.output.contains(#""html":"<p>é 1-"#))
        let copy = TemporaryDirectory()
        let `import` = try PosternProcess.run(["import", "--data", copy.path("store")], input: export.output)
        #expect(`import`.status == 0, "\(`import`.errors)")
        #expect(try PosternProcess.run(["export", "--data", copy.path("store")]).output == export.output)
        #expect(try PosternProcess.run(["check"] + data).status == 0)
        let next = try start([])
        #expect(try next.reply(to: "care.user.delete", ["access_token": session.token])["result"] != nil)
        next.finish()
        #expect(!String(decoding: folder.contents, as: UTF8.self).contains("<p>é 1-"))
        #expect(try !PosternProcess.run(["export"] + data).output.contains("<p>"))
        #expect(try PosternProcess.run(["check"] + data).status == 0)
    }

    /// The length of a write would reveal which addresses have an account.
    @Test(arguments: ["operators.reset_password", "sales.user.reset"])
    func writesAsMuchForAnUnknownAddress(method: String) throws {
        // Without spaces, which are not counted below, as the room in a journal is not.
        let html = "<p>{{code}}:{{link}}</p>" + String(repeating: "<p>größe</p>\n", count: 2_000)
        for kind in ["operators-reset", "sales-reset"] {
            try write("\(kind).txt", "Subject: x\n\n{{code}}\n")
            try write("\(kind).html", html)
        }
        let postern = try start([])
        try register(in: postern)
        let invitation = try PosternProcess.run(["invite", "--data", folder.path("store")]).output
        let account: JSONValue = [
            "email": "a@b.co", "password": "p", "referral_code": .string(invitation),
            "name": ["first": "A", "last": "B"],
        ]
        #expect(try postern.reply(to: "sales.user.create_internal", account)["result"] != nil)
        var bytes: [Int] = []
        for email in ["a@b.co", "x@b.co", "a@b.co", "x@b.co"] {
            let before = folder.contents.count { $0 > 0x20 }
            #expect(try postern.reply(to: method, ["email": .string(email)])["error"] == nil)
            bytes.append(folder.contents.count { $0 > 0x20 } - before)
        }
        // The HTML part has more than 20 KiB.
        #expect(bytes.allSatisfy { $0 > 20_000 } && abs(bytes[0] - bytes[1]) < 200, "\(bytes)")
    }

    @Test func refusesAnHTMLPartWithoutATextAtStart() throws {
        try write("de/sales-reset.html", "<p>{{code}}")
        let flags = ["--data", folder.path("store"), "--mail-templates", templates.path]
        let outcome = try PosternProcess.run(flags)
        #expect(outcome.status == 64)
        let file = templates.path("de/sales-reset.html")
        #expect(outcome.errors.hasPrefix("postern: --mail-templates: \(file) has no sales-reset.txt beside it"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("store")))
    }

    /// A host's tests see what a person would.
    @Test func showsTheHTMLPartInDeterministicMode() throws {
        try write("operators-reset.txt", "Subject: x\n\n{{code}}\n")
        try write("operators-reset.html", "<p>{{code}}")
        let postern = try PosternProcess(
            PosternProcess.deterministicFlags + ["--mail-templates", templates.path]
        )
        try register(in: postern)
        #expect(try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])["error"] == nil)
        let messages = try postern.reply(to: "system.outbox")["result"]?["messages"]?.array
        #expect(messages?.map { $0["html"] == nil } == [true, false])
        #expect(messages?.last?["html"]?.string?.hasPrefix("<p>1-") == true)
    }
}
