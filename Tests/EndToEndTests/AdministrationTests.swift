import Foundation
import JSON
import PosternTesting
import Testing

/// Administration, on the wire and on the command line.
struct AdministrationTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private func register(
        _ email: JSONValue,
        _ reply: (_ method: String, _ params: JSONValue) throws -> JSONValue
    ) throws -> JSONValue {
        let person: JSONValue = ["first_name": "Luke", "last_name": "Sorenson", "email": email]
        let registered = try reply("operators.register", ["user": person, "password": "p"])["result"]
        return ["user_id": try #require(registered?["id"]), "session_id": try #require(registered?["session_id"])]
    }

    /// Runs `postern account` and returns what it prints.
    private func account(_ arguments: [String], input: String = "") throws -> String {
        let outcome = try PosternProcess.run(["account"] + arguments + data, input: input)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome.output
    }

    private static func methods() throws -> [String] {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let names = try #require(document["methods"]?.array).compactMap { $0["name"]?.string }
        return names.filter { $0.hasPrefix("admin.") }
    }

    // MARK: Who can reach it

    /// A host that passes requests on must not give its clients administration by accident.
    @Test(arguments: [[:], ["POSTERN_ADMIN": "1"]])
    func isUnknownWithoutTheFlag(environment: [String: String]) throws {
        let postern = try PosternProcess(data, environment: environment)
        let methods = try Self.methods()
        #expect(methods.count > 15)
        for method in methods {
            let reply = try postern.reply(to: method, ["account": "operators:1"])
            #expect(reply["error"]?["code"] == -32_601, "\(method)")
        }
        let served = try postern.reply(to: "system.info")["result"]
        #expect(served?["admin"] == false)
        #expect(served?["methods"]?.array?.contains { $0.string?.hasPrefix("admin.") == true } == false)
        #expect(try postern.reply(to: "rpc.discover").text.contains("\"admin.") == false)
    }

    /// Assistants never get it, with the flag neither.
    @Test func isNoTool() throws {
        let postern = try PosternProcess(data + ["--admin"])
        let params: JSONValue = [
            "protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "host", "version": "1"],
        ]
        #expect(try postern.reply(to: "initialize", params)["result"] != nil)
        postern.send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        let tools = try postern.reply(to: "tools/list")["result"]?["tools"]?.array ?? []
        #expect(tools.count > 30)
        #expect(!tools.contains { $0["name"]?.string?.hasPrefix("admin") == true })
        for method in try Self.methods() {
            let name = JSONValue.string(method.replacing(".", with: "_"))
            let called = try postern.reply(to: "tools/call", ["name": name, "arguments": [:]])
            #expect(called["error"] != nil && called["result"] == nil, "\(method)")
        }
        #expect(try PosternProcess.run(["serve", "--tools", "admin"] + data).status == 64)
    }

    // MARK: Beside running servers

    /// An administrator works on the command line while four processes serve the store: each operation has its effect,
    /// is in the audit trail, and is pushed to all four hosts.
    @Test func administersBesideFourServers() throws {
        let hosts = try (0..<4).map { _ in try EventHost(data) }
        let session = try register("luke@bu.edu", hosts[0].reply)
        _ = try register("leia@bu.edu", hosts[1].reply)
        func signIn(_ host: EventHost, _ password: JSONValue = "p") throws -> JSONValue {
            try host.reply(to: "operators.signin", ["email": "luke@bu.edu", "password": password])
        }
        #expect(try account(["list", "--search", "luke"]).hasPrefix("operators:1\tluke@bu.edu\tLuke Sorenson\t-\t"))
        #expect(try account(["list"]).split(separator: "\n").count == 2)
        _ = try account(["disable", "operators:luke@bu.edu", "--actor", "carol"])
        for host in hosts {
            #expect(try signIn(host)["error"]?["code"] == -8)
            #expect(try host.reply(to: "operators.account", session)["error"]?["code"] == -2)
        }
        _ = try account(["enable", "operators:1", "--actor", "carol"])
        #expect(try signIn(hosts[1])["result"] != nil)
        for _ in 1...10 { _ = try signIn(hosts[2], "wrong") }
        #expect(try signIn(hosts[3])["error"]?["code"] == -21)
        _ = try account(["unlock", "operators:1"])
        #expect(try signIn(hosts[3])["result"] != nil)
        _ = try account(["set-password", "operators:1"], input: "another\n")
        #expect(try signIn(hosts[0])["error"]?["code"] == -9)
        let second = try #require(try signIn(hosts[0], "another")["result"])
        let identity: JSONValue = ["user_id": second["id"] ?? .null, "session_id": second["session_id"] ?? .null]
        #expect(try hosts[1].reply(to: "operators.account", identity)["result"] != nil)
        #expect(try account(["end-sessions", "operators:1"]) == "operators:1\tsessions ended: 1")
        #expect(try hosts[1].reply(to: "operators.account", identity)["error"]?["code"] == -2)
        let file = folder.path("export.json")
        _ = try account(["export", "operators:1", file])
        let export = try JSONValue(parsing: String(contentsOfFile: file, encoding: .utf8))
        #expect(export["account"]?["account"]?["email"] == "luke@bu.edu")
        #expect(export["events"]?.array?.contains { $0["kind"] == "admin_account_disabled" } == true)
        _ = try account(["delete", "operators:1", "--actor", "carol"])
        #expect(try signIn(hosts[2], "another")["error"]?["code"] == -8)

        let operations = [
            "admin_account_disabled", "admin_account_enabled", "admin_account_unlocked", "admin_password_set",
            "admin_sessions_ended", "admin_account_exported", "admin_account_deleted",
        ]
        let audit = try PosternProcess.run(["audit", "--json"] + data).output
        let trail = try audit.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        func operationKinds(_ events: [JSONValue]) -> [String] {
            events.compactMap { $0["kind"]?.string }.filter { $0.hasPrefix("admin_") }
        }
        #expect(operationKinds(trail) == operations)
        #expect(trail.last { $0["kind"] == "admin_account_deleted" }?["detail"]?["actor"] == "carol")
        for host in hosts {
            try host.waitForEvents(trail.count)
            #expect(operationKinds(host.events) == operations)
            try host.finish()
        }
    }

    // MARK: Disabled means disabled

    /// Sign-ins that race with the operation, in another process, leave no session.
    @Test func leavesNoSessionOfARacingSignIn() throws {
        let (postern, other) = (
            try PosternProcess(data + ["--no-email-confirmation", "--admin"]),
            try PosternProcess(data + ["--no-email-confirmation"])
        )
        _ = try register("a@b.co", postern.reply)
        let signIn: JSONValue = ["email": "a@b.co", "password": "p"]
        for _ in 1...5 {
            for _ in 1...4 {
                other.send("operators.signin", signIn)
                postern.send("operators.signin", signIn)
            }
            postern.send("admin.accounts.disable", ["account": "operators:1"])
            for _ in 1...5 { _ = try postern.nextReply() }
            for _ in 1...4 { _ = try other.nextReply() }
            let shown = try postern.reply(to: "admin.accounts.show", ["account": "operators:1"])["result"]
            #expect(shown?["sessions"] == [])
            #expect(shown?["account"]?["disabled"] != nil)
            _ = try postern.reply(to: "admin.accounts.enable", ["account": "operators:1"])
        }
    }

    /// The code that restores an earlier address still works, as its owner may have asked to disable the account, and
    /// leaves it disabled. A temporary password and a code that were mailed before do not bring it back.
    @Test func nothingButEnableBringsAnAccountBack() throws {
        let postern = try PosternProcess(data + ["--admin"])
        func mailed(_ kind: String) throws -> String {
            let mails = try postern.reply(to: "admin.outbox.list")["result"]?["mails"]?.array ?? []
            let mail = try #require(mails.last { $0["kind"] == .string(kind) }, "\(kind)")
            let text = try postern.reply(to: "admin.outbox.show", ["id": mail["id"] ?? .null])["result"]?["text"]?
                .string
            return try #require(text)
        }
        func code(_ kind: String) throws -> JSONValue {
            let line = try mailed(kind).split(separator: "\n").first { line in
                line.first?.isNumber == true && line.contains("-") && !line.contains(" ")
            }
            return .string(String(try #require(line)))
        }
        let new: JSONValue = ["api": "care", "email": "a@b.co", "password": "p", "email_confirmed": true]
        #expect(try postern.reply(to: "admin.accounts.create", new)["result"] != nil)
        let token = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "p"])["result"]
        let access = try #require(token?["access_token"])
        let change: JSONValue = ["access_token": access, "current_password": "p", "email": "thief@b.co"]
        #expect(try postern.reply(to: "care.user.change_email", change)["result"] != nil)
        let used: JSONValue = ["access_token": access, "code": try code("care-email-change")]
        #expect(try postern.reply(to: "care.user.confirm_email_change", used)["result"] != nil)
        #expect(try postern.reply(to: "care.user.reset_password", ["email": "thief@b.co"])["result"] != nil)
        let temporary = try mailed("care-temporary-password").split(separator: "\n").first { line in
            line.count >= 16 && !line.contains(" ") && !line.contains(":")
        }
        _ = try postern.reply(to: "admin.accounts.disable", ["account": "care:1"])
        let password = JSONValue.string(String(try #require(temporary)))
        let signIn = try postern.reply(to: "care.auth.token", ["email": "thief@b.co", "password": password])
        #expect(signIn["error"]?["data"]?["errors"] == ["account_disabled"])
        let revert: JSONValue = ["code": try code("care-email-changed"), "password": "own"]
        #expect(try postern.reply(to: "care.user.revert_email_change", revert)["result"]?["email"] == "a@b.co")
        let own: JSONValue = ["email": "a@b.co", "password": "own"]
        #expect(try postern.reply(to: "care.auth.token", own)["error"]?["data"]?["errors"] == ["account_disabled"])
        let shown = try postern.reply(to: "admin.accounts.show", ["account": "care:1"])["result"]
        #expect(shown?["sessions"] == [] && shown?["codes"] == [] && shown?["account"]?["disabled"] != nil)
        _ = try postern.reply(to: "admin.accounts.enable", ["account": "care:1"])
        #expect(try postern.reply(to: "care.auth.token", own)["result"] != nil)
    }

    // MARK: The command line

    @Test func createsAnAccountThatHasNoPasswordYet() throws {
        try PosternProcess(data).finish()
        let words = ["create", "sales:A@b.co", "first_name=A", "last_name=B", "email_confirmed=true"]
        #expect(try account(words) == "sales:1\tA@b.co\tA B\tcustomer\tconfirmed")
        _ = try account(["set-password", "sales:a@b.co"], input: "p\n")
        let postern = try PosternProcess(data)
        let signedIn = try postern.reply(to: "sales.user.authenticate", ["email": "a@b.co", "password": "p"])
        #expect(signedIn["result"]?["api_key"] != nil)
        postern.finish()
        _ = try account(["set-app-metadata", "sales:1", #"{"plan":"team"}"#])
        let shown = try JSONValue(parsing: account(["show", "sales:1", "--json"]))
        #expect(shown["metadata"]?["app_metadata"] == ["plan": "team"] && shown["source"] == "admin")
        #expect(try account(["show", "sales:1"]).hasSuffix("app_metadata\t{\"plan\":\"team\"}"))
        let line = try JSONValue(parsing: account(["list", "--json"]))
        #expect(line["account"] == "sales:1" && line["email"] == "A@b.co")
    }

    @Test func writesAnExportThatOnlyTheOwnerCanRead() throws {
        try PosternProcess(data).finish()
        _ = try account(["create", "care:a@b.co"])
        let file = folder.path("export.json")
        _ = try account(["export", "care:1", file])
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let again = try PosternProcess.run(["account", "export", "care:1", file] + data)
        #expect(again.status == 1 && again.errors.contains("File exists"))
        let unknown = folder.path("unknown.json")
        #expect(try PosternProcess.run(["account", "export", "care:9", unknown] + data).status == 1)
        #expect(!FileManager.default.fileExists(atPath: unknown), "a failed export leaves no file")
    }

    @Test(arguments: [
        (["shw"], 64, "unknown command account shw (did you mean show?)"),
        (["show"], 64, "postern account takes show ACCOUNT"), ([], 64, "postern account takes list"),
        (["list", "x"], 64, "postern account takes list"), (["create", "a@b.co"], 64, "takes create API:EMAIL"),
        (["show", "care:9"], 1, "There is no such account."),
        (["show", "a@b.co"], 64, "an account is API:EMAIL or API:NUMBER"),
        (["create", "clubs:a@b.co"], 64, "such as care:a@b.co, not clubs:a@b.co"),
        (["create", "care:a@b.co", "emial_confirmed=true"], 1, "email_confirmed"),
        (["create", "care:a@b.co", "password=secret"], 64, "write password=@- or password=@FILE"),
        (["delete", "care:9", "--actor", "a\tb"], 64, "--actor takes NAME"),
        (["create", "care:a@b.co", "role=king"], 1, "Role is missing or not valid."),
        (["set-app-metadata", "care:9", "[]"], 1, "App metadata is missing or not valid."),
    ])
    func explainsAMistake(arguments: [String], status: Int32, message: String) throws {
        try PosternProcess(data).finish()
        let outcome = try PosternProcess.run(["account"] + arguments + data)
        #expect(outcome.status == status && outcome.output == "")
        #expect(outcome.errors.hasPrefix("postern: ") && outcome.errors.contains(message), "\(outcome.errors)")
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test func retriesAMailThatWaits() throws {
        let postern = try PosternProcess(data)
        _ = try register("a@b.co", postern.reply)
        postern.finish()
        let failing = ["outbox", "deliver", "--mail", "command:exit 75"]
        #expect(try PosternProcess.run(failing + data).status == 1)
        #expect(try PosternProcess.run(["outbox", "list"] + data).output.contains("\t1\t"))
        #expect(try PosternProcess.run(["outbox", "retry", "1", "--actor", "carol"] + data).status == 0)
        let delivered = ["outbox", "deliver", "--mail", "command:cat >/dev/null"]
        #expect(try PosternProcess.run(delivered + data).status == 0)
        #expect(try PosternProcess.run(["outbox", "list"] + data).output.contains("\tdelivered\t"))
        let again = try PosternProcess.run(["outbox", "retry", "1"] + data)
        #expect(again.status == 1 && again.errors.contains("The mail does not wait to be delivered."))
        #expect(try PosternProcess.run(["audit"] + data).output.contains("\tadmin_mail_retried\tadmin (carol)\t"))
    }

    /// A command once deleted events that the flags of the server keep.
    @Test func commandsLeaveTheAuditTrailAsItIs() throws {
        let postern = try PosternProcess(data)
        for number in 1...4 { _ = try register(.string("a\(number)@b.co"), postern.reply) }
        postern.finish()
        // The server of this store keeps three events. The commands do not know that, or how long it keeps them.
        for command in [["account", "list"], ["account", "unlock", "operators:1"], ["outbox", "list"]] {
            #expect(try PosternProcess.run(command + data).status == 0)
        }
        func count() throws -> Int { try PosternProcess.run(["audit"] + data).output.split(separator: "\n").count }
        #expect(try count() == 5)
        try PosternProcess(data + ["--audit-max", "3"]).finish()
        #expect(try count() == 3)
        _ = try account(["unlock", "operators:1"])
        #expect(try count() == 4)
    }

    /// A failed export leaves no file, so that it can be tried again.
    @Test func leavesNoFileWithoutAStore() throws {
        let file = folder.path("export.json")
        let outcome = try PosternProcess.run(["account", "export", "care:1", file] + data)
        #expect(outcome.status == 1 && !FileManager.default.fileExists(atPath: file))
    }

    /// Requests about an account that the first of them creates keep their order.
    @Test func keepsTheOrderOfRequestsAboutANewAccount() throws {
        let postern = try PosternProcess(data + ["--admin", "--replies", "as-completed"])
        let new: JSONValue = [
            "api": "operators", "email": "a@b.co", "password": "p", "first_name": "A", "last_name": "B",
            "email_confirmed": true,
        ]
        postern.send("admin.accounts.create", new)
        postern.send("admin.accounts.disable", ["account": "operators:A@b.co"])
        postern.send("operators.signin", ["email": "a@b.co", "password": "p"])
        let replies = try (1...3).map { _ in try postern.nextReply() }
        #expect(replies.compactMap { $0["error"]?["code"]?.int } == [-8])
        #expect(replies.contains { $0["result"]?["disabled"] != nil })
    }

    /// The actor of a deletion is kept however many events the account has.
    @Test func keepsWhoDeletedAnAccountWithManyEvents() throws {
        let postern = try PosternProcess(data + ["--admin"])
        _ = try register("a@b.co", postern.reply)
        for number in 1...400 {
            let metadata: JSONValue = ["number": .number(String(number))]
            postern.send("admin.accounts.set_app_metadata", ["account": "operators:1", "app_metadata": metadata])
        }
        for _ in 1...400 { _ = try postern.nextReply() }
        postern.finish()
        _ = try account(["delete", "operators:1", "--actor", "carol"])
        try PosternProcess(data).finish()
        let lines = try PosternProcess.run(["audit", "--json"] + data).output.split(separator: "\n")
        let events = try lines.map { try JSONValue(parsing: String($0)) }
        #expect(events.count > 800)
        #expect(events.last?["kind"] == "admin_account_deleted" && events.last?["detail"]?["actor"] == "carol")
        #expect(events.dropLast().allSatisfy { $0["detail"] == nil })
    }
}
