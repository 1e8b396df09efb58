import DirectoryStore
import Accounts
import Foundation
import JSON
import PosternTesting
import Store
import Testing

/// What an attacker must not achieve, tested with the real binary. Transcripts in schema/cases test the rest: whose
/// clients and patients can be reached, which roles can be obtained, and when sessions and codes expire.
struct SecurityTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store"), "--no-email-confirmation"] }

    // MARK: Passwords

    /// OWASP, Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes and one lane, or more.
    @Test func hashesPasswordsWithArgon2idAndASaltEach() throws {
        let postern = try PosternProcess(data)
        for email in ["a@b.co", "c@d.co"] {
            let person: JSONValue = ["first_name": "A", "last_name": "B", "email": .string(email)]
            _ = try postern.reply(to: "operators.register", ["user": person, "password": "the same password"])
            let user: JSONValue = ["email": .string(email), "password": "the same password", "role": "user"]
            _ = try postern.reply(to: "care.user.register", user)
        }
        postern.finish()
        let text = String(decoding: folder.contents, as: UTF8.self)
        let hashes = text.matches(of: /\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+\/]{22}\$[A-Za-z0-9+\/]{43}/)
        #expect(Set(hashes.map { String($0.output) }).count == 4)
        #expect(!text.contains("the same password"))
    }

    @Test func rehashesAWeakHashAtSignIn() throws {
        // "password" with 8 MiB and one pass.
        let weak = "$argon2id$v=19$m=8192,t=1,p=1$tfJrHGn+Cv7oZSldLZoGtg$N7tVzQ0S28q5zWrGPqXgK7l92vCHp09f1KzK3MxSMqg"
        let store = Store(engine: try LocalEngine(directory: folder.path("store"), log: { _ in }))
        let created = Timestamp(microseconds: 0)
        let person = Person(id: 1, created: created, firstName: "A", lastName: "B", email: "a@b.co")
        try store.transact { tx in
            let account = Operator(
                id: 1,
                created: created,
                person: person,
                passwordHash: weak,
                isConfirmed: true,
                isProven: true,
                lastChange: 0,
                locale: nil,
                disabled: nil
            )
            try tx.insert(account)
        }
        try store.makeDurable()
        store.close()

        let postern = try PosternProcess(data)
        let wrong = try postern.reply(to: "operators.signin", ["email": "a@b.co", "password": "Password"])
        #expect(wrong["error"]?["code"]?.int == -9)
        for _ in 1...2 {
            let right = try postern.reply(to: "operators.signin", ["email": "a@b.co", "password": "password"])
            #expect(right["result"]?["id"]?.int == 1)
        }
        postern.finish()
        let lines = String(decoding: folder.contents, as: UTF8.self)
        #expect(lines.matches(of: /\$argon2id\$v=19\$m=19456,t=2,p=1\$/).count == 1)
    }

    @Test func comparesEveryByteOfAPassword() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        let long = String(repeating: "x", count: 79)
        let passwords = [
            long + "a" + String(repeating: "y", count: 20), "nul\u{0}a", "👩‍👩‍👧a", " a ", "é", "e\u{301}",
            String(repeating: "z", count: 1_024),
        ]
        let wrong = [
            long + "b" + String(repeating: "y", count: 20), "nul\u{0}b", "👩‍👩‍👦a", "a", "e\u{301}", "é",
            String(repeating: "z", count: 1_023),
        ]
        for (number, (password, other)) in zip(passwords, wrong).enumerated() {
            let email = JSONValue.string("c\(number)@b.co")
            let user: JSONValue = ["email": email, "password": .string(password), "role": "user"]
            #expect(try postern.reply(to: "care.user.register", user)["result"] != nil)
            let guess: JSONValue = ["email": email, "password": .string(other)]
            #expect(try postern.reply(to: "care.auth.token", guess)["error"]?["code"]?.int == 401)
            let right: JSONValue = ["email": email, "password": .string(password)]
            #expect(try postern.reply(to: "care.auth.token", right)["result"] != nil)
        }
        let start = ContinuousClock.now
        let huge: JSONValue = ["email": "c0@b.co", "password": .string(String(repeating: "z", count: 1_000_000))]
        #expect(try postern.reply(to: "care.auth.token", huge)["error"]?["code"]?.int == 400)
        // A password that is too long is refused without hashing.
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    // MARK: Secrets

    @Test func writesNoSecretToTheStoreTheLogOrTheListing() throws {
        let arguments = data.dropLast() + ["--log-level", "info"]
        let postern = try PosternProcess(Array(arguments))
        var secrets = ["a secret password", "another secret"]
        func record(_ reply: JSONValue, _ property: String) throws {
            secrets.append(try #require(reply["result"]?[property]?.string))
        }
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let register: JSONValue = ["user": person, "password": "a secret password"]
        try record(try postern.reply(to: "operators.register", register), "session_id")
        _ = try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])
        let user: JSONValue = ["email": "a@b.co", "password": "another secret", "role": "user"]
        _ = try postern.reply(to: "care.user.register", user)
        let signIn: JSONValue = ["email": "a@b.co", "password": "another secret"]
        let token = try postern.reply(to: "care.auth.token", signIn)
        try record(token, "access_token")
        let share: JSONValue = [
            "access_token": token["result"]?["access_token"] ?? .null, "patient_id": 1, "email": "x@y.zz",
            "access": "read", "group": "family",
        ]
        #expect(try postern.reply(to: "care.patients.share", share)["result"] != nil)
        _ = try postern.reply(to: "care.user.reset_password", ["email": "a@b.co"])
        postern.send("garbage with a secret password")
        #expect(try postern.nextReply()["error"]?["code"]?.int == -32700)
        postern.finish()

        // While a mail waits in the outbox, its record contains the code. Nothing else does.
        let codes = try (1...5).map { number in
            let mail = try PosternProcess.run(["outbox", "show", "\(number)", "--data", folder.path("store")]).output
            let code = try #require(mail.firstMatch(of: /\n\n([0-9]+-)?([0-9a-f]{32})\n/)).output.2
            return String(code)
        }
        let listing = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
        for secret in secrets + codes {
            #expect(!postern.errorText.contains(secret))
            #expect(!listing.contains(secret))
        }
        let kept = String(decoding: folder.contents, as: UTF8.self)
        for secret in secrets { #expect(!kept.contains(secret)) }
        for code in codes {
            #expect(kept.components(separatedBy: code).count - 1 <= 4, "alone and in a link, in the text and beside it")
        }

        // After delivery, no file contains the codes.
        let mails = folder.path("mails")
        let deliver = ["outbox", "deliver", "--data", folder.path("store"), "--mail", "directory:\(mails)"]
        #expect(try PosternProcess.run(deliver).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: mails)
        #expect(names.count == 5)
        let delivered = try names.map { try String(contentsOfFile: "\(mails)/\($0)", encoding: .utf8) }.joined()
        try FileManager.default.removeItem(atPath: mails)
        let left = String(decoding: folder.contents, as: UTF8.self)
        for code in codes { #expect(delivered.contains(code) && !left.contains(code)) }
    }

    // MARK: Guessing

    @Test func limitsConcurrentGuesses() throws {
        let postern = try PosternProcess(data + ["--replies", "as-completed"])
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let session = try postern.reply(to: "operators.register", ["user": person, "password": "right"])["result"]
        func code(_ number: Int) throws -> JSONValue {
            let mail = try PosternProcess.run(["outbox", "show", "\(number)", "--data", folder.path("store")]).output
            return .string(String(try #require(mail.firstMatch(of: /code=([0-9a-f-]+)/)).output.1))
        }
        // Notices go to proven addresses only.
        #expect(try postern.reply(to: "operators.resend_confirmation", ["email": "a@b.co"])["result"] == .null)
        #expect(try postern.reply(to: "operators.confirm_email", ["code": code(1)])["result"] != nil)
        for _ in 1...50 { postern.send("operators.signin", ["email": "A@b.co", "password": "wrong"]) }
        var codes: [Int: Int] = [:]
        for _ in 1...50 { codes[try postern.nextReply()["error"]?["code"]?.int ?? 0, default: 0] += 1 }
        #expect(codes == [-9: 10, -21: 40])
        postern.kill()

        // The lock survives the process. It affects neither the open session nor a reset.
        let next = try PosternProcess(data)
        let right: JSONValue = ["email": "a@b.co", "password": "right"]
        let locked = try next.reply(to: "operators.signin", right)
        #expect(locked["error"]?["code"]?.int == -21)
        #expect((3_500...3_600).contains(locked["error"]?["data"]?["retry_after"]?.int ?? 0))
        let get: JSONValue = ["user_id": 1, "session_id": session?["session_id"] ?? .null, "provision": 0]
        #expect(try next.reply(to: "operators.clients.get", get)["result"] != nil)
        #expect(try next.reply(to: "operators.reset_password", ["email": "a@b.co"])["result"] == .null)
        next.finish()
        // The mail before the reset is the notice of the lock, and there is one.
        let list = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
        #expect(list.split(separator: "Signing in to your account is locked").count == 2)
        let reset: JSONValue = ["code": try code(3), "password": "new"]
        let last = try PosternProcess(data)
        #expect(try last.reply(to: "operators.complete_reset", reset)["result"] == .null)
        #expect(try last.reply(to: "operators.signin", ["email": "a@b.co", "password": "new"])["result"] != nil)
    }

    @Test func givesANewTokenOfFullLengthEachTime() throws {
        let postern = try PosternProcess(["--data", ":memory:", "--no-email-confirmation", "--replies", "as-completed"])
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        _ = try postern.reply(to: "operators.register", ["user": person, "password": "p"])
        let user: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
        _ = try postern.reply(to: "care.user.register", user)
        var tokens: Set<String> = []
        let signIn: JSONValue = ["email": "a@b.co", "password": "p"]
        let pairs = try #require(Int(ProcessInfo.processInfo.environment["SIGN_INS"] ?? "10000")) / 2
        for _ in 1...pairs {
            postern.send("operators.signin", signIn)
            postern.send("care.auth.token", signIn)
        }
        for _ in 1...2 * pairs {
            let result = try postern.nextReply()["result"]
            if let session = result?["session_id"]?.string, session.utf8.count == 128 { tokens.insert(session) }
            if let token = result?["access_token"]?.string, token.utf8.count == 64 { tokens.insert(token) }
        }
        #expect(tokens.count == 2 * pairs)
    }

    // MARK: Hostile input

    @Test(arguments: [
        String(repeating: "a", count: 10_000), String(repeating: "a.", count: 5_000) + "@b.co",
        "a@" + String(repeating: "b.", count: 5_000), String(repeating: "@", count: 10_000),
        "a@" + String(repeating: "-", count: 10_000) + ".co", String(repeating: " ", count: 10_000),
        "a@b.co\r\nBcc: victim@b.co", "a@b.co\n", "a\u{0}@b.co", "a@b.co\u{2028}", "<a@b.co>", "\"a b\"@b.co",
        "a@[127.0.0.1]", "a@b.123", "a..b@b.co", "a@xn--bücher.example",
    ])
    func refusesHostileAddressesQuickly(email: String) throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        _ = try postern.reply(to: "system.info")
        let user: JSONValue = ["email": .string(email), "password": "p", "role": "user"]
        // The shortest of five durations, because other processes use the machine too.
        let times = try (1...5).map { _ in
            let start = ContinuousClock.now
            let error = try postern.reply(to: "care.user.register", user)["error"]
            #expect(["invalid_email", "email_required"].contains(error?["data"]?["errors"]?.array?.first?.string))
            return ContinuousClock.now - start
        }
        #expect(try #require(times.min()) < .milliseconds(10))
        for method in ["operators.reset_password", "sales.user.reset"] {
            #expect(try postern.reply(to: method, ["email": .string(email)])["error"] != nil)
        }
    }

    // MARK: Files

    @Test(arguments: ["000", "022", "077", "777"])
    func makesFilesThatOnlyTheirOwnerCanRead(umask: String) throws {
        let arguments = data + ["--mail", "directory:\(folder.path("mails"))"]
        let postern = try PosternProcess(arguments, shell: "umask \(umask); exec \"$@\"")
        _ = try postern.reply(to: "operators.register", ["user": ["first_name": "A"]])
        _ = try postern.reply(to: "care.user.register", ["email": "a@b.co", "password": "p", "role": "user"])
        _ = try postern.reply(to: "care.user.reset_password", ["email": "a@b.co"])
        postern.finish()
        for place in ["store", "mails"] {
            #expect(try mode(of: folder.path(place)) == 0o700)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(place))
            #expect(!names.isEmpty)
            for name in names { #expect(try mode(of: folder.path("\(place)/\(name)")) == 0o600, "\(name)") }
        }
    }

    private func mode(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
}
