import Foundation
import JSON
import PosternTesting
import Testing

/// Sign-ins for other programs, as these start `postern verify` and `postern helper`.
struct ProgramSignInTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private static let password = "a long password"

    /// An attempt, and how a program passes it.
    private struct Attempt {
        var email = "a@b.co"
        var password = ProgramSignInTests.password
        var ip = "192.0.2.7"
    }

    private static let conventions = ["authnz", "pam", "openvpn", "openvpn FILE", "env", "json"]

    /// Runs `postern verify` as a program of the convention does.
    private func verify(
        _ convention: String,
        _ attempt: Attempt = Attempt(),
        api: String = "operators",
        _ flags: [String] = []
    ) throws -> PosternProcess.Outcome {
        var (words, environment, input) = ([String](), [String: String](), "")
        switch convention {
        case "authnz":
            environment = ["AUTHTYPE": "PASS", "IP": attempt.ip]
            input = "\(attempt.email)\n\(attempt.password)\n"
        case "pam":
            environment = [
                "PAM_TYPE": "auth", "PAM_USER": attempt.email, "PAM_SERVICE": "sshd", "PAM_RHOST": attempt.ip,
            ]
            input = "\(attempt.password)\u{0}"
        case "openvpn":
            environment = ["untrusted_ip": attempt.ip, "username": attempt.email, "password": attempt.password]
        case "openvpn FILE":
            environment = ["untrusted_ip": attempt.ip]
            words = [folder.path("credentials")]
            try Data("\(attempt.email)\n\(attempt.password)\n".utf8).write(to: URL(filePath: words[0]))
        case "env":
            environment = ["username": attempt.email, "password": attempt.password]
        default:
            environment = [
                "SFTPGO_AUTHD_USERNAME": attempt.email, "SFTPGO_AUTHD_PASSWORD": attempt.password,
                "SFTPGO_AUTHD_IP": attempt.ip, "SFTPGO_AUTHD_PROTOCOL": "SSH", "SFTPGO_AUTHD_USER": "",
            ]
        }
        let name = convention.split(separator: " ")[0]
        return try PosternProcess.run(
            ["verify", "--as", String(name), "--api", api] + flags + data + words,
            input: input,
            environment: environment
        )
    }

    /// What a program of the convention reads on stdout after a success and after a refusal.
    private static func outputs(of convention: String) -> (yes: String, no: String) {
        switch convention {
        case "env": ("name = A B", "")
        case "json":
            (#"{"status":1,"username":"a@b.co","email":"a@b.co","permissions":{"/":["*"]}}"#, #"{"username":""}"#)
        default: ("", "")
        }
    }

    private func create(_ account: String, _ words: String...) throws {
        // Only a server creates a store.
        if !FileManager.default.fileExists(atPath: folder.path("store")) { try PosternProcess(data).finish() }
        let names = ["first_name=A", "last_name=B", "password=@-"]
        let outcome = try PosternProcess.run(
            ["account", "create", account] + names + words + data,
            input: Self.password
        )
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func audit(after seq: Int = 0) throws -> [JSONValue] {
        let outcome = try PosternProcess.run(["audit", "--json", "--after", "\(seq)"] + data)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    private func shown(_ account: String) throws -> JSONValue {
        try JSONValue(parsing: PosternProcess.run(["account", "show", account, "--json"] + data).output)
    }

    // MARK: Verify

    @Test(arguments: conventions)
    func answersWithTheExitCode(convention: String) throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let output = Self.outputs(of: convention)
        let accepted = try verify(convention)
        #expect(accepted.status == 0 && accepted.output == output.yes && accepted.errors == "")
        var refused: [Attempt] = []
        refused.append(Attempt(password: "wrong"))
        refused.append(Attempt(password: Self.password + " "))
        refused.append(Attempt(password: ""))
        refused.append(Attempt(password: String(repeating: "x", count: 1_025)))
        refused.append(Attempt(email: "unknown@b.co"))
        refused.append(Attempt(email: "no email"))
        for attempt in refused {
            let outcome = try verify(convention, attempt)
            #expect(outcome.status == 1 && outcome.output == output.no, "\(attempt)")
            #expect(!outcome.errors.contains(attempt.email), "\(outcome.errors)")
        }
        #expect(try verify(convention, Attempt(email: " A@b.CO ")).status == 0)
    }

    /// The success of another program is a sign-in, but no session is opened.
    @Test(arguments: conventions)
    func leavesEventsAndNoSession(convention: String) throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let before = try #require(try audit().last?["seq"]?.int)
        for attempt in [Attempt(), Attempt(password: "wrong"), Attempt(email: "unknown@b.co")] {
            _ = try verify(convention, attempt)
        }
        let events = try audit(after: before)
        #expect(events.map { $0["kind"] } == ["signed_in", "sign_in_failed", "sign_in_failed"])
        #expect(events.map { $0["account"] ?? .null } == [1, 1, .null])
        let agents: [String: JSONValue] = [
            "authnz": "mod_authnz_external", "pam": "pam_exec sshd", "env": "Home Assistant", "json": "SFTPGo SSH",
        ]
        for event in events {
            #expect(event["ip"] == (convention == "env" ? nil : "192.0.2.7"))
            #expect(event["agent"] == agents[convention] ?? "OpenVPN")
            #expect(event["detail"] == nil && event["by"] == "anonymous")
        }
        #expect(try shown("operators:1")["sessions"] == [])
        #expect(try audit().allSatisfy { !$0.text.contains(Self.password) && !$0.text.contains("@b.co") })
    }

    @Test(arguments: ["authnz", "pam", "openvpn", "json"])
    func locksTheAddressOfAGuesser(convention: String) throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let before = try #require(try audit().last?["seq"]?.int)
        for _ in 1...10 { #expect(try verify(convention, Attempt(password: "wrong")).status == 1) }
        // The lock refuses the right password, and a refusal by it leaves no event.
        #expect(try verify(convention).status == 1)
        let events = try audit(after: before)
        #expect(events.map { $0["kind"] } == Array(repeating: "sign_in_failed", count: 10) + ["locked"])
        #expect(try verify(convention, Attempt(ip: "192.0.2.8")).status == 0)
        // It is the lock of a sign-in.
        let postern = try PosternProcess(data)
        let params: JSONValue = [
            "email": "a@b.co", "password": .string(Self.password), "client": ["ip": "192.0.2.7"],
        ]
        #expect(try postern.reply(to: "operators.signin", params)["error"]?["code"] == -21)
        postern.finish()
        #expect(try PosternProcess.run(["account", "unlock", "operators:1"] + data).status == 0)
        #expect(try verify(convention).status == 0)
    }

    /// The name of a host is no address: the failures count for all programs that state none.
    @Test func locksAllThatStateNoAddress() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        for number in 1...10 {
            #expect(try verify("pam", Attempt(password: "wrong", ip: "host\(number).example")).status == 1)
        }
        #expect(try verify("env").status == 1)
        #expect(try verify("authnz").status == 0)
        // The owner gets the notice of a lock, which the server of the application delivers.
        let mails = try PosternProcess.run(["outbox", "list"] + data).output.split(separator: "\n")
        #expect(mails.count == 1 && mails[0].contains("a@b.co"), "\(mails)")
    }

    /// An email without an account locks too, so that neither the lock nor its speed reveals who has an account.
    @Test func locksAnUnknownEmailLikeAKnownOne() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let before = try #require(try audit().last?["seq"]?.int)
        for _ in 1...11 { #expect(try verify("authnz", Attempt(email: "unknown@b.co")).status == 1) }
        let kinds = try audit(after: before).map { $0["kind"] }
        #expect(kinds == Array(repeating: "sign_in_failed", count: 10) + ["locked"])
    }

    @Test(arguments: ["operators", "care", "sales"])
    func admitsOnlyAProvenAddress(api: String) throws {
        try create("\(api):a@b.co")
        #expect(try verify("authnz", api: api).status == 1)
        #expect(try PosternProcess.run(["account", "confirm", "\(api):1"] + data).status == 0)
        #expect(try verify("authnz", api: api).status == 0)
        for other in ["operators", "care", "sales"] where other != api {
            #expect(try verify("authnz", api: other).status == 1)
        }
        #expect(try PosternProcess.run(["account", "disable", "\(api):1"] + data).status == 0)
        #expect(try verify("authnz", api: api).status == 1)
        #expect(try PosternProcess.run(["account", "enable", "\(api):1"] + data).status == 0)
        #expect(try verify("authnz", api: api).status == 0)
    }

    @Test func admitsOnlyTheRole() throws {
        try create("care:a@b.co", "email_confirmed=true", "role=clinician")
        try create("sales:a@b.co", "email_confirmed=true", "role=admin")
        for (api, role, status) in [
            ("care", "clinician", 0), ("care", "user", 1), ("sales", "admin", 0), ("sales", "customer", 1),
            ("sales", "salesperson", 1),
        ] as [(String, String, Int32)] {
            #expect(try verify("authnz", api: api, ["--role", role]).status == status, "\(api) \(role)")
            // A refusal because of the role is not one of the password.
            #expect(try verify("authnz", Attempt(password: "wrong"), api: api, ["--role", role]).status == 1)
        }
    }

    /// A stack that has the module in another phase must not take it for a success. No store is opened.
    @Test(arguments: ["account", "password", "open_session", "close_session"])
    func isNoSuccessInAnotherPhaseOfPAM(phase: String) throws {
        let environment = ["PAM_TYPE": phase, "PAM_USER": "a@b.co"]
        let arguments = ["verify", "--as", "pam", "--api", "operators"] + data
        let outcome = try PosternProcess.run(arguments, input: Self.password, environment: environment)
        #expect(outcome.status == 1 && outcome.errors.contains("PAM_TYPE is not auth"))
    }

    /// A sign-in with an imported hash replaces it.
    @Test func replacesAnImportedHash() throws {
        try PosternProcess(data).finish()
        let vector = try #require(HashVector.all.first { $0.hash.hasPrefix("$2b$") && !$0.password.contains("\n") })
        let file = folder.path("users.csv")
        let row = "a@b.co,\"\(vector.hash)\",A,B,yes"
        try Data("email,password_hash,first_name,last_name,confirmed\n\(row)\n".utf8).write(to: URL(filePath: file))
        let words = ["import", "--from", "csv", "--api", "operators", "--confirmed", "no", file]
        let imported = try PosternProcess.run(words + data)
        try #require(imported.status == 0, "\(imported.errors)")
        #expect(try PosternProcess.run(["export"] + data).output.contains(vector.hash))
        #expect(try verify("authnz", Attempt(password: vector.password)).status == 0)
        let export = try PosternProcess.run(["export"] + data).output
        #expect(!export.contains(vector.hash) && export.contains("$argon2id$"))
        #expect(try verify("authnz", Attempt(password: vector.password)).status == 0)
    }

    // MARK: Errors

    @Test(arguments: conventions)
    func saysLaterIfTheStoreCannotBeUsed(convention: String) throws {
        let missing = try verify(convention)
        #expect(
            missing.status == 111 && missing.output == Self.outputs(of: convention).no
                && missing.errors.contains("no store")
        )
        try create("operators:a@b.co", "email_confirmed=true")
        let lock = open(folder.path("store/lock"), O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        let busy = try verify(convention, Attempt(), api: "operators", ["--lock-wait", "0"])
        #expect(busy.status == 111 && busy.output == Self.outputs(of: convention).no, "\(busy.errors)")
        #expect(flock(lock, LOCK_UN) == 0)
        #expect(try verify(convention).status == 0)
        let manifest = folder.path("store/manifest.json")
        try Data("{".utf8).write(to: URL(filePath: manifest))
        #expect(try verify(convention).status == 111)
    }

    /// The environment of a process can be read by other processes of its user.
    @Test func leavesNoPasswordInTheEnvironment() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let lock = open(folder.path("store/lock"), O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        let environment = ["username": "a@b.co", "password": Self.password]
        let arguments = ["verify", "--as", "env", "--api", "operators", "--lock-wait", "60"] + data
        let process = try PosternProcess(arguments, environment: environment)
        var text = ""
        for _ in 1...1_000 {
            let bytes = FileManager.default.contents(atPath: "/proc/\(process.processIdentifier)/environ") ?? Data()
            text = String(decoding: bytes, as: UTF8.self)
            if text.contains("username=a@b.co"), !text.contains(Self.password) { break }
            usleep(10_000)
        }
        #expect(process.isRunning && text.contains("username=a@b.co") && !text.contains(Self.password))
        #expect(flock(lock, LOCK_UN) == 0)
        #expect(process.status == 0)
    }

    @Test(arguments: ["authnz", "pam", "openvpn", "env", "json"])
    func saysLaterIfTheCallIsNotOfTheConvention(convention: String) throws {
        let arguments = ["verify", "--as", convention, "--api", "operators"] + data
        let environment = ["PAM_TYPE": "auth"]
        let outcome = try PosternProcess.run(arguments, environment: environment)
        #expect(outcome.status == 111 && outcome.output == Self.outputs(of: convention).no)
        #expect(outcome.errors.hasPrefix("postern: --as \(convention): "), "\(outcome.errors)")
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test(arguments: [
        (["verify", "--api", "care"], "postern verify needs --as authnz|pam|openvpn|env|json"),
        (["verify", "--as", "authnz"], "postern verify needs --api"),
        (
            ["verify", "--as", "squid", "--api", "care"],
            "postern verify takes --as authnz|pam|openvpn|env|json, not squid"
        ),
        (
            ["verify", "--as", "radius", "--api", "care"],
            "--as takes authnz|pam|openvpn|env|json|ejabberd|squid, not radius"
        ),
        (["verify", "--as", "authnz", "--api", "clubs"], "--api takes operators|care|sales, not clubs"),
        (["verify", "--as", "authnz", "--api", "care", "--role", "admin"], "--role takes user|clinician, not admin"),
        (["verify", "--as", "authnz", "--api", "operators", "--role", "user"], "accounts of operators have no roles"),
        (["verify", "--as", "authnz", "--api", "care", "file"], "postern verify --as authnz takes only flags"),
        (["verify", "--as", "openvpn", "--api", "care", "a", "b"], "postern verify takes [FILE]"),
        (["verify", "--as", "authnz", "--api", "care", "--mail", "keep"], "--mail is not a flag of postern verify"),
        (["verify", "--as", "authnz", "--api", "care", "--mail-templates", "/nonexistent"], "--mail-templates: open"),
        (["helper", "--as", "pam", "--api", "care"], "postern helper takes --as ejabberd|squid, not pam"),
        (["helper", "--as", "ejabberd"], "postern helper needs --api"),
        (["helper", "--as", "ejabberd", "--api", "care", "--concurrency"], "--concurrency needs --as squid"),
        (["helper", "--as", "squid", "--api", "care", "file"], "postern helper takes only flags"),
    ])
    func refusesAWrongCommandLine(arguments: [String], message: String) throws {
        try PosternProcess(data).finish()
        let outcome = try PosternProcess.run(arguments + data, input: "a@b.co\np\n")
        #expect(outcome.status == 64 && outcome.output == "", "\(outcome.errors)")
        #expect(outcome.errors.contains(message) && outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    // MARK: Helpers

    private func helper(_ convention: String, _ flags: String...) throws -> PosternProcess {
        try PosternProcess(["helper", "--as", convention, "--api", "operators"] + flags + data)
    }

    private static func ejabberd(_ text: String) -> Data {
        Data([UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8))
    }

    @Test func answersEjabberd() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let file = folder.path("replies")
        let command = ["helper", "--as", "ejabberd", "--api", "operators"] + data
        let helper = try PosternProcess(command, shell: "exec \"$@\" > \(file)")
        let requests: [(text: String, isRight: Bool)] = [
            ("auth:a:b.co:\(Self.password)", true), ("auth:a\\40b.co:xmpp.example:\(Self.password)", true),
            ("auth:a:b.co:wrong", false), ("auth:a:xmpp.example:\(Self.password)", false), ("auth:a:b.co:", false),
            ("isuser:a:b.co", true), ("isuser:unknown:b.co", false), ("setpass:a:b.co:new", false),
            ("tryregister:new:b.co:p", false), ("removeuser:a:b.co", false), ("removeuser3:a:b.co:p", false),
            ("nonsense", false), ("auth:a:b.co:\(Self.password)", true),
        ]
        let bytes = requests.map { Self.ejabberd($0.text) }.reduce(Data(), +)
        // Cut in a length and in a text.
        for piece in [bytes.prefix(1), bytes.dropFirst(1).prefix(10), bytes.dropFirst(11)] {
            helper.write(Data(piece))
            usleep(20_000)
        }
        helper.finish()
        #expect(helper.status == 0)
        let replies = try Data(contentsOf: URL(filePath: file))
        #expect(replies == Data(requests.flatMap { [0, 2, 0, $0.isRight ? 1 : 0] }))
        #expect(try audit().last?["agent"] == "ejabberd")
    }

    @Test(arguments: [false, true])
    func answersSquid(hasChannels: Bool) throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let helper = hasChannels ? try helper("squid", "--concurrency") : try helper("squid")
        let word = "a%20long%20password"
        let requests: [(line: String, reply: String)] = [
            ("a%40b.co \(word)", "OK"), ("a@b.co \(word) 192.0.2.7", "OK"), ("a@b.co wrong 192.0.2.7", "ERR"),
            ("a@b.co a+long+password", "ERR"), ("unknown@b.co \(word)", "ERR"), ("a@b.co %zz", "ERR"), ("", "ERR"),
            ("a@b.co \(word) 192.0.2.7", "OK"),
        ]
        for (number, request) in requests.enumerated() {
            let channel = hasChannels ? "\(number) " : ""
            helper.send(channel + request.line)
            #expect(helper.nextLine() == channel + request.reply, "\(request.line)")
        }
        // A line without an end is no request.
        helper.write(Data("9 a@b.co \(word)".utf8))
        #expect(helper.finish() == "" && helper.status == 0)
        let last = try #require(try audit().last)
        #expect(last["kind"] == "signed_in" && last["ip"] == "192.0.2.7" && last["agent"] == "Squid")
    }

    /// Other processes change accounts while a helper runs.
    @Test func aHelperSeesWhatOthersHaveChanged() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let helper = try helper("squid")
        func reply(_ email: String) -> String? {
            helper.send("\(email) a%20long%20password")
            return helper.nextLine()
        }
        #expect(reply("a@b.co") == "OK" && reply("c@d.co") == "ERR")
        try create("operators:c@d.co", "email_confirmed=true")
        #expect(reply("c@d.co") == "OK")
        #expect(try PosternProcess.run(["account", "disable", "operators:1"] + data).status == 0)
        #expect(reply("a@b.co") == "ERR" && reply("c@d.co") == "OK")
    }

    @Test func aHelperSaysThatTheStoreCannotBeUsedAndGoesOn() throws {
        try create("operators:a@b.co", "email_confirmed=true")
        let helper = try helper("squid", "--lock-wait", "0")
        helper.send("a@b.co a%20long%20password")
        #expect(helper.nextLine() == "OK")
        let lock = open(folder.path("store/lock"), O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        helper.send("a@b.co a%20long%20password")
        #expect(helper.nextLine()?.hasPrefix("BH message=") == true)
        #expect(flock(lock, LOCK_UN) == 0)
        helper.send("a@b.co a%20long%20password")
        #expect(helper.nextLine() == "OK")
        #expect(helper.finish() == "" && helper.status == 0)
    }

    @Test(arguments: ["ejabberd", "squid"])
    func aHelperWithoutAStoreEnds(convention: String) throws {
        let helper = try helper(convention)
        #expect(helper.finish() == "" && helper.status == 111)
    }

    // MARK: Timing

    /// The duration of a refusal must not reveal whether an email has an account, or one that the program admits.
    @Test func refusalsTakeEquallyLong() throws {
        try create("operators:known@b.co", "email_confirmed=true")
        try create("operators:unproven@b.co")
        let helper = try helper("squid")
        let emails = ["known@b.co", "unproven@b.co", "unknown@b.co"]
        var times = [[Duration]](repeating: [], count: emails.count)
        for attempt in 1...40 {
            // In turns, so that other work of the machine affects all kinds equally; each from an address of its own,
            // so that none is locked.
            for (index, email) in emails.enumerated() {
                let start = ContinuousClock.now
                helper.send("\(email) wrong 192.0.2.\(attempt)")
                #expect(helper.nextLine() == "ERR")
                times[index].append(ContinuousClock.now - start)
            }
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        let (shortest, longest) = (try #require(medians.min()), try #require(medians.max()))
        #expect(longest < shortest * 1.5, "\(medians)")
    }
}
