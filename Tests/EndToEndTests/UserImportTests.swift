import Foundation
import JSON
import PosternTesting
import Testing

/// `postern import --from`: adds the users of other programs to a store.
struct UserImportTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    init() throws {
        #expect(try PosternProcess.run(data).status == 0)
    }

    private func importing(
        _ text: String,
        from format: String = "csv",
        to api: String = "operators",
        _ arguments: [String] = ["--confirmed", "yes"],
        shell: String? = nil
    ) throws -> PosternProcess.Outcome {
        let file = folder.path("users")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let command = ["import"] + data + ["--from", format, file, "--api", api]
        return try PosternProcess.run(command + arguments, shell: shell)
    }

    /// Expects that nothing was imported, with these lines on stderr before the last one.
    private func expectRefusal(_ outcome: PosternProcess.Outcome, _ lines: [String]) throws {
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        let count = Set(lines.map { $0.prefix { $0 != ":" } }).count
        let last = "postern: nothing was imported; users that cannot be imported: \(count)"
        #expect(outcome.errors.split(separator: "\n").map(String.init) == lines + [last])
        #expect(try records("") == [])
    }

    /// The records of the collections whose names begin with a text.
    private func records(_ name: String) throws -> [JSONValue] {
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        return try PosternProcess.run(["export"] + data).output.split(separator: "\n").compactMap { line in
            let value = try JSONValue(parsing: String(line))
            return value["collection"]?.string?.hasPrefix(name) == true ? value["record"] : nil
        }
    }

    private func signsIn(_ email: String, _ password: String, to postern: PosternProcess) throws -> Bool {
        let params: JSONValue = ["email": .string(email), "password": .string(password)]
        return try postern.reply(to: "operators.signin", params)["result"] != nil
    }

    /// A hash, and its password.
    private static let bcrypt: [HashVector] = HashVector.all.filter { $0.hash.hasPrefix("$2b$") }

    private func hash() throws -> String { try #require(Self.bcrypt.first).hash }

    // MARK: CSV

    @Test func signsImportedUsersIn() throws {
        let vectors = Self.bcrypt
        let users = (0..<40).map { number in ("user\(number)@b.co", vectors[number % vectors.count]) }
        let rows = users.map { "\($0.0),\($0.1.hash),A,B" }.joined(separator: "\n")
        let outcome = try importing("email,password_hash,first_name,last_name\n\(rows)\n")
        #expect(outcome.output == "imported: 40 accounts into \(folder.path("store"))", "\(outcome.errors)")
        #expect(outcome.status == 0)
        // An account and an event each, but no mail and no session.
        #expect(try records("").count == 80)
        let postern = try PosternProcess(data)
        for (email, vector) in users {
            #expect(try !signsIn(email, vector.password + "!", to: postern))
            #expect(try signsIn(email, vector.password, to: postern))
            #expect(try signsIn(email, vector.password, to: postern))
        }
        postern.finish()
        let hashes = try records("operators").compactMap { $0["password_hash"]?.string }
        #expect(hashes.count == 40 && hashes.allSatisfy { $0.hasPrefix("$argon2id$") } && Set(hashes).count == 40)
    }

    /// RFC 4180 §2, with line ends of LF, a byte order mark, and lines that are empty.
    @Test(arguments: [
        ("email,first_name,last_name\r\na@b.co,Ann,Lee\r\n", ["Ann", "Lee"]),
        ("\u{FEFF}email,first_name,last_name\na@b.co,Ann,Lee", ["Ann", "Lee"]),
        ("\n\r\nemail,first_name,last_name\n\n\r\na@b.co,Ann,Lee\n\n", ["Ann", "Lee"]),
        ("email,\"first_name\",last_name\na@b.co,\"Ann \"\"A\"\", B\",\"Lee\"\n", ["Ann \"A\", B", "Lee"]),
        ("last_name,email,first_name\r\n\"\"\"\", a@b.co ,\" Zoë 🐎\"", [" Zoë 🐎", "\""]),
        ("first_name,email,last_name\nAnn,\"a@b.co\",\"Lee\"\r\n", ["Ann", "Lee"]),
        ("email,first_name,last_name\na@b.co,Ann,Lee\"s\n", []),
    ])
    func readsRFC4180(text: String, names: [String]) throws {
        let outcome = try importing(text)
        guard !names.isEmpty else {
            #expect(
                outcome.errors
                    == "postern: \(folder.path("users")): line 2: a quote in a field that does not begin with one\n"
            )
            return
        }
        #expect(outcome.status == 0, "\(outcome.errors)")
        let person = try #require(try records("operators").first?["person"])
        #expect(person["email"] == "a@b.co")
        #expect([person["first_name"]?.string, person["last_name"]?.string] == names)
    }

    @Test(arguments: [
        ("", "empty"), ("\r\n\n", "empty"),
        ("email;first_name\n", "line 1: unknown column email;first_name; the columns are"),
        (
            "email,pasword_hash\n",
            "line 1: unknown column pasword_hash (did you mean password_hash?); the columns are email,"
        ),
        ("\nemail,phone\n", "line 2: the operators API has no phone"),
        ("email,email\n", "line 1: the column email twice"),
        ("first_name\n", "line 1: no column email"),
        ("email\na@b.co\n\"b@b.co\nc@b.co\n", "line 3: a quoted field does not end"),
        ("email\n\"a@b.co\"x\n", "line 2: text after the quote that ends a field"),
        ("email\na@b.co\rb@b.co\n", "line 2: a carriage return without a line feed"),
        ("email\na@b.co\r", "line 2: a carriage return without a line feed"),
        ("email\n\"a\n\nb\"\n\"\n", "line 5: a quoted field does not end"),
        ("email\n" + String(repeating: "a", count: 1 << 20 + 1), "line 2: the row is longer than 1048576 bytes"),
    ])
    func refusesAFileThatIsNotCSV(text: String, error: String) throws {
        for arguments in [["--confirmed", "yes"], ["--confirmed", "yes", "--skip-invalid"]] {
            let outcome = try importing(text, arguments)
            #expect(outcome.status == 1 && outcome.output == "")
            // A fault of a row before it may be reported too.
            let line = outcome.errors.split(separator: "\n").last ?? ""
            #expect(line.hasPrefix("postern: \(folder.path("users")): \(error)"), "\(outcome.errors)")
        }
        #expect(try records("") == [])
    }

    private static let head = "email,password_hash,first_name,last_name,confirmed\n"

    @Test func importsNothingIfOneRowIsInvalid() throws {
        let hash = try hash()
        let text =
            Self.head + """
                a@b.co,\(hash),Ann,Lee,yes
                b@b,secret,,"\u{7}
                Lee",maybe

                A@B.co,\(hash),Ann,Lee,yes
                c@b.co,\(hash),Ann,Lee
                \(String(repeating: "d", count: 250))@b.co,,\(String(repeating: "e", count: 201)),Lee,1
                """
        try expectRefusal(
            try importing(text),
            [
                "line 3: confirmed: neither yes nor no", "line 3: first_name: field_required",
                "line 3: last_name: field_invalid", "line 3: email: field_invalid",
                "line 3: password_hash: not a password hash of a known form with limited cost",
                "line 6: email: the same as in line 2", "line 7: fields: 4, but the first row has 5",
                "line 8: first_name: field_invalid", "line 8: email: field_invalid",
            ]
        )
        let outcome = try importing(text, ["--confirmed", "yes", "--skip-invalid"])
        #expect(outcome.output == "imported: 1 accounts into \(folder.path("store"))\nnot imported: 4")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("line 6: email: operator_exists\n"))
        #expect(outcome.errors.contains("line 7: fields: 4, but the first row has 5\n"))
        #expect(try records("operators").count == 1)
        // The same import again adds nothing.
        let again = try importing(text, ["--confirmed", "yes", "--skip-invalid"])
        #expect(again.output == "imported: 0 accounts into \(folder.path("store"))\nnot imported: 5")
        #expect(again.errors.hasPrefix("line 2: email: operator_exists\n"))
        #expect(try records("operators").count == 1)
    }

    @Test func refusesBytesThatAreNotUTF8() throws {
        let file = folder.path("latin")
        try (Data("email,first_name,last_name\na@b.co,Ann,".utf8) + [0xE9, 0x0A]).write(to: URL(fileURLWithPath: file))
        let command = ["import"] + data + ["--from", "csv", file, "--api", "operators", "--confirmed", "no"]
        let outcome = try PosternProcess.run(command)
        #expect(outcome.errors.hasPrefix("line 2: last_name: not UTF-8\n"), "\(outcome.errors)")
        #expect(outcome.status == 1)
    }

    @Test func takesTheFlagIfTheFileDoesNotSayWhetherAnEmailIsConfirmed() throws {
        let words =
            ["": nil, "yes": true, "Y": true, "TRUE": true, "t": true, "1": true]
            .merging(["no": false, "n": false, "False": false, "f": false, "0": false]) { $1 } as [String: Bool?]
        for flag in [true, false] {
            let rows = words.keys.enumerated().map { "\(flag)\($0.offset)@b.co,,A,B,\($0.element)" }
            let outcome = try importing(Self.head + rows.joined(separator: "\n"), ["--confirmed", flag ? "yes" : "no"])
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let accounts = try records("operators")
        #expect(accounts.count == 2 * words.count)
        for account in accounts {
            let email = try #require(account["person"]?["email"]?.string)
            let isYes = email.hasPrefix("true")
            let index = try #require(Int(email.drop { !$0.isNumber }.prefix { $0.isNumber }))
            let word = Array(words.keys)[index]
            #expect(account["is_confirmed"]?.bool == (words[word] ?? nil) ?? isYes, "\(email) \(word)")
        }
    }

    // MARK: The APIs

    /// An account without a password gets one by a reset, and only so.
    @Test func givesAPasswordByAReset() throws {
        #expect(try importing(Self.head + "a@b.co,,Ann,Lee,no\n").status == 0)
        let stored = try #require(try records("operators").first?["password_hash"]?.string)
        let postern = try PosternProcess(data)
        for password in ["", "!", "\(stored)", "password"] {
            #expect(try !signsIn("a@b.co", password, to: postern))
        }
        #expect(try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])["result"] == .null)
        let mail = try PosternProcess.run(["outbox", "show", "1"] + data).output
        let code = try #require(mail.firstMatch(of: /code=([0-9a-f-]+)/)?.output.1)
        let reset: JSONValue = ["code": .string(String(code)), "password": "a new one"]
        #expect(try postern.reply(to: "operators.complete_reset", reset)["result"] == .null)
        #expect(try signsIn("a@b.co", "a new one", to: postern))
        postern.finish()
    }

    @Test func importsUsersOfCareWithTheirPatients() throws {
        let first = try PosternProcess(data)
        let owner = try CareSession(first)
        let patient = try first.reply(to: "care.patients.create", owner.patient("Paul"))["result"]
        let share: JSONValue = [
            "access_token": owner.token, "patient_id": try #require(patient?["id"]), "email": "a@b.co",
            "access": "read",
            "group": "family",
        ]
        #expect(try first.reply(to: "care.patients.share", share)["result"]?["is_user"] == false)
        first.finish()
        let vector = try #require(Self.bcrypt.first)
        let text = """
            role,phone,confirmed,email,password_hash,first_name
            clinician,,yes,A@b.co,\(vector.hash),Ann
            ,+1 555,no,b@b.co,\(vector.hash),
            """
        #expect(try importing(text, to: "care").status == 0)
        let postern = try PosternProcess(data)
        for (email, names, role) in [("a@b.co", ["Ann", "Paul"], "clinician"), ("b@b.co", ["Me"], "user")] {
            let signIn: JSONValue = ["email": .string(email), "password": .string(vector.password)]
            let token = try #require(try postern.reply(to: "care.auth.token", signIn)["result"]?["access_token"])
            let user = try postern.reply(to: "care.user.view", ["access_token": token])["result"]
            #expect(user?["role"] == .string(role))
            let patients = try postern.reply(to: "care.patients.list", ["access_token": token])["result"]?["patients"]
            // The share that waited for the confirmed address is open.
            #expect(Set(patients?.array?.compactMap { $0["first_name"]?.string } ?? []) == Set(names))
        }
        postern.finish()
        #expect(try records("care.patients").count == 4)
    }

    @Test func importsSalesAccountsWithTheirOwnReferralCodes() throws {
        let vector = try #require(Self.bcrypt.first)
        let text = """
            email,password_hash,first_name,last_name,phone,role,source,brand_id,confirmed
            c@b.co,\(vector.hash),Cu,Stomer,,,,,yes
            d@b.co,\(vector.hash),Cu,Stomer,,customer,web,,no
            s@b.co,\(vector.hash),Sa,Les,555,salesperson,,brand,yes
            i@b.co,\(vector.hash),In,Ternal,,admin,,,yes
            """
        let outcome = try importing(text, to: "sales", ["--confirmed", "no"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let postern = try PosternProcess(data)
        for (email, mayInvite) in [("c", false), ("s", true), ("i", true)] {
            let signIn: JSONValue = ["email": .string("\(email)@b.co"), "password": .string(vector.password)]
            let key = try #require(try postern.reply(to: "sales.user.authenticate", signIn)["result"]?["api_key"])
            let me = try postern.reply(to: "sales.user.me", ["api_key": key])["result"]
            let new: JSONValue = [
                "email": .string("new-\(email)@b.co"), "password": "password", "phone": "1", "brand_id": "b",
                "referral_code": me?["referral_code"] ?? .null, "name": ["first": "A", "last": "B"],
            ]
            #expect((try postern.reply(to: "sales.user.create_salesperson", new)["result"] != nil) == mayInvite)
        }
        let unverified: JSONValue = ["email": "d@b.co", "password": .string(vector.password)]
        #expect(try postern.reply(to: "sales.user.authenticate", unverified)["error"]?["code"] == 401)
        postern.finish()
        let accounts = try records("sales.users")
        #expect(accounts.prefix(4).map { $0["source"]?.string } == ["import", "web", nil, nil])
        #expect(Set(accounts.compactMap { $0["referral_code"]?.string }).count == 6)
        #expect(Set(accounts.compactMap { $0["external_id"]?.string }).count == 6)

        let wrong = """
            email,role,phone,first_name,last_name,source
            x@b.co,salesperson,,A,B,
            y@b.co,customer,5,A,B,
            z@b.co,USER,,A,B,web
            """
        let refused = try importing(wrong, to: "sales")
        for line in [
            "line 2: phone: a salesperson has one", "line 2: brand_id: a salesperson has one",
            "line 3: phone: a customer has none", "line 4: role: none of customer, salesperson, admin",
        ] {
            #expect(refused.errors.contains(line + "\n"), "\(line)")
        }
        #expect(try records("sales.users").count == 6)
    }

    // MARK: Other processes

    @Test func addsToAStoreThatAServerUses() throws {
        let vector = try #require(Self.bcrypt.first)
        let server = try PosternProcess(data + ["--no-email-confirmation"])
        func register(_ name: String) throws -> JSONValue {
            let user: JSONValue = ["first_name": "A", "last_name": "B", "email": .string("\(name)@b.co")]
            return try server.reply(to: "operators.register", ["user": user, "password": "p"])
        }
        #expect(try register("first")["result"]?["id"] == 1)
        let rows = (1...250).map { "user\($0)@b.co,\(vector.hash),A,B,yes" }.joined(separator: "\n")
        #expect(try importing(Self.head + rows).status == 0)
        #expect(try signsIn("user250@b.co", vector.password, to: server))
        #expect(try register("second")["result"]?["id"] == 252)
        #expect(try register("USER7")["error"]?["data"]?["errors"] == ["operator_exists"])
        // An email of the server's accounts is taken.
        let taken = try importing(Self.head + "FIRST@b.co,,A,B,yes\nnew@b.co,,A,B,yes\n")
        #expect(taken.errors.hasPrefix("line 2: email: operator_exists\npostern: nothing was imported"))
        server.finish()
        let accounts = try records("operators")
        #expect(accounts.compactMap { $0["id"]?.int }.sorted() == Array(1...252))
        #expect(accounts.compactMap { $0["person"]?["id"]?.int }.sorted() == Array(1...252))
    }

    /// An import that fails in the middle says how many accounts it has added, and can be continued.
    @Test func canBeContinuedAfterAFullDisk() throws {
        let hash = try hash()
        let rows = (1...2_000).map { "user\($0)@b.co,\(hash),A,B,yes" }.joined(separator: "\n")
        // Units of 512 bytes.
        let outcome = try importing(Self.head + rows, shell: "ulimit -f 1000; exec \"$@\"")
        #expect(outcome.status == 1)
        let count = try #require(outcome.errors.firstMatch(of: /; imported before: (\d+) accounts\n/)?.output.1)
        let added = try #require(Int(count))
        #expect((1..<2_000).contains(added))
        #expect(try records("operators").count == added)
        let rest = try importing(Self.head + rows, ["--confirmed", "yes", "--skip-invalid"])
        #expect(
            rest.output == "imported: \(2_000 - added) accounts into \(folder.path("store"))\nnot imported: \(added)"
        )
        #expect(try records("operators").count == 2_000)
    }

    @Test func needsAStore() throws {
        let file = folder.path("users")
        try Data((Self.head + "a@b.co,,A,B,yes").utf8).write(to: URL(fileURLWithPath: file))
        let arguments = ["--from", "csv", file, "--api", "care", "--confirmed", "no"]
        let outcome = try PosternProcess.run(["import", "--data", folder.path("none")] + arguments)
        #expect(outcome.status == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
        let memory = try PosternProcess.run(["import", "--data", ":memory:"] + arguments)
        #expect(memory.status == 64)
    }
}
