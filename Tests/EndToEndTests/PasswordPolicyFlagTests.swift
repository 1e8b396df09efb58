import Foundation
import JSON
import PosternTesting
import Testing

/// The flags of the password policy. Transcripts call the methods that set a password.
struct PasswordPolicyFlagTests {
    private let folder = TemporaryDirectory()

    /// The errors of a registration in an API of a new process.
    private func errors(
        of password: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> [String] {
        let postern = try PosternProcess(["--data", ":memory:"] + arguments, environment: environment)
        defer { postern.finish() }
        let params: JSONValue = ["email": "a@b.co", "password": .string(password), "role": "user"]
        let reply = try postern.reply(to: "care.user.register", params)
        let slugs = reply["error"]?["data"]?["errors"]?.array?.compactMap(\.string)
        #expect((slugs == nil) == (reply["result"] != nil))
        return slugs ?? []
    }

    private func file(_ text: String, _ name: String = "list.txt") throws -> String {
        let path = folder.path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func canBeSetByTheEnvironment() throws {
        #expect(try errors(of: "password", []) == [])
        #expect(try errors(of: "password", ["--password-policy", "documented"]) == [])
        let nist = ["POSTERN_PASSWORD_POLICY": "nist"]
        #expect(try errors(of: "password", [], environment: nist) == ["password_too_short", "password_common"])
        #expect(try errors(of: "password", ["--password-policy", "documented"], environment: nist) == [])
        let length = nist.merging(["POSTERN_PASSWORD_LENGTH": "8"]) { $1 }
        #expect(try errors(of: "password", [], environment: length) == ["password_common"])
        #expect(try errors(of: "passwort", [], environment: length) == ["password_common"])
        #expect(try errors(of: "pass the word", [], environment: length) == [])
    }

    @Test func readsAList() throws {
        let list = ["--password-list", try file("Our Company\r\nspring 2026\n")]
        #expect(try errors(of: "our company", list) == ["password_common"])
        #expect(try errors(of: "SPRING 2026", list) == ["password_common"])
        #expect(try errors(of: "our company!", list) == [])
        #expect(try errors(of: "password", list) == [])
        let both = list + ["--password-policy", "nist"]
        #expect(try errors(of: "our company", both) == ["password_too_short", "password_common"])
        #expect(try errors(of: "password", both) == ["password_too_short", "password_common"])
        #expect(try errors(of: "our company is new", both) == [])
    }

    /// A wrong list ends the start with one line, before a store is created.
    @Test func refusesAnUnreadableList() throws {
        try Data([0x61, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: folder.path("latin.txt")))
        let long = try file(String(repeating: "aaaaaaa\n", count: 1 << 20) + "b\n", "long.txt")
        let files = [
            (folder.path("missing"), "No such file or directory"), (folder.path, "not a file"),
            (folder.path("latin.txt"), "not UTF-8"), (long, "longer than 8388608 bytes"),
        ]
        for (path, reason) in files {
            let data = folder.path("store")
            let outcome = try PosternProcess.run(["--data", data, "--password-list", path])
            #expect(outcome.status == 64)
            #expect(outcome.errors == "postern: --password-list: \(path): \(reason); see postern --help\n")
            #expect(!FileManager.default.fileExists(atPath: data))
        }
    }

    @Test func appliesToPosternCall() throws {
        let person = #"{"user":{"first_name":"A","last_name":"B","email":"a@b.co"},"password":"password"}"#
        let arguments = ["call", "operators.register", person, "--data", ":memory:"]
        let outcome = try PosternProcess.run(arguments + ["--password-policy", "nist"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("password_too_short"), "\(outcome.errors)")
        #expect(try PosternProcess.run(arguments).status == 0)
    }

    /// Imported accounts and earlier passwords keep working: only a new password is checked.
    @Test func leavesExistingPasswordsAlone() throws {
        let data = ["--data", folder.path("store")]
        let first = try PosternProcess(data)
        let account: JSONValue = ["email": "a@b.co", "password": "foobar", "role": "user"]
        #expect(try first.reply(to: "care.user.register", account)["result"] != nil)
        first.finish()
        let second = try PosternProcess(data + ["--password-policy", "nist"])
        let credentials: JSONValue = ["email": "a@b.co", "password": "foobar"]
        let reply = try second.reply(to: "care.auth.token", credentials)
        let token = try #require(reply["result"]?["access_token"])
        let names: JSONValue = ["access_token": token, "first_name": "Foobar"]
        #expect(try second.reply(to: "care.user.change", names)["result"] != nil)
        second.finish()
    }

    @Test func declaresTheErrors() throws {
        let schema = try JSONValue(parsing: PosternProcess.run(["schema"]).output)
        let methods = schema["methods"]?.array ?? []
        let slugs = ["password_too_short", "password_common", "password_personal"]
        for (name, code) in [
            ("operators.register", -3), ("operators.change_password", -3), ("operators.complete_reset", -3),
            ("care.user.register", 400), ("care.user.change", 400), ("sales.user.create_customer", 400),
            ("sales.user.create_salesperson", 400), ("sales.user.create_internal", 400),
            ("sales.user.complete_reset", 400),
        ] {
            let method = methods.first { $0["name"]?.string == name }
            let errors = method?["errors"]?.array?.map(\.text) ?? []
            for slug in slugs {
                #expect(errors.contains { $0.contains(slug) && $0.contains("\(code)") }, "\(name): \(slug)")
            }
        }
    }

    // Only root can read the memory of a process that forbids core dumps.
    @Test(.enabled(if: geteuid() == 0, "needs root to read the memory"))
    func keepsNoPasswordBeyondItsRequest() throws {
        let list = ["--password-list", try file("our company has a name\n"), "--password-policy", "nist"]
        let postern = try PosternProcess(["--data", ":memory:"] + list)
        let scan = ProcessMemoryScan(of: postern.processIdentifier)
        // An admitted password, and one that is refused after all comparisons. The copies in lower case have the same
        // text.
        for (number, password) in ["quite a good one: zebra crossing", "zebracrossingzebracrossing 12"].enumerated() {
            let params: JSONValue = [
                "email": .string("a\(number)@b.co"), "password": .string(password), "role": "user",
                "first_name": "zebracrossing",
            ]
            let reply = try postern.reply(to: "care.user.register", params)
            #expect((reply["result"] != nil) == (number == 0))
            var copies = [1]
            for _ in 1...20 where copies != [0] {
                copies = try scan.counts(of: [password])
                if copies != [0] { Thread.sleep(forTimeInterval: 0.05) }
            }
            #expect(copies == [0], "\(password)")
        }
        #expect(try scan.counts(of: ["our company has a name"]) != [0])
        postern.finish()
    }
}
