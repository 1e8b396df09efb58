import Foundation
import JSON
import PosternTesting
import Testing

/// Exports of Django and Firebase, read by `postern import --from`.
struct UserExportTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    init() throws {
        #expect(try PosternProcess.run(data).status == 0)
    }

    private func importing(
        _ text: String,
        from format: String,
        to api: String = "operators",
        _ arguments: [String] = []
    ) throws -> PosternProcess.Outcome {
        let file = folder.path("users.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let command = ["import"] + data + ["--from", format, file, "--api", api, "--confirmed", "no"]
        return try PosternProcess.run(command + arguments)
    }

    /// The accounts of the store, sorted by number.
    private func accounts(_ collection: String = "operators") throws -> [JSONValue] {
        #expect(try PosternProcess.run(["check"] + data).status == 0)
        return try PosternProcess.run(["export"] + data).output.split(separator: "\n").compactMap { line in
            let value = try JSONValue(parsing: String(line))
            return value["collection"] == .string(collection) ? value["record"] : nil
        }
    }

    // MARK: Django

    private func object(_ fields: JSONValue, model: String = "auth.user") -> JSONValue {
        let standard: JSONValue = ["username": "u", "first_name": "Ann", "last_name": "Lee", "is_active": true]
        let names = Set(fields.object?.map(\.name) ?? [])
        let rest = (standard.object ?? []).filter { !names.contains($0.name) }
        return ["model": .string(model), "pk": 7, "fields": .object((fields.object ?? []) + rest)]
    }

    @Test func readsDjangosUsers() throws {
        let vector = try #require(HashVector.all.first { $0.hash.hasPrefix("pbkdf2_sha256$") })
        let users: JSONValue = .array([
            object(["email": "a@b.co", "password": .string(vector.hash), "date_joined": "2016-02-24T22:07:52.371Z"]),
            object(["name": "staff"], model: "auth.group"),
            object(["email": "", "username": "b@b.co", "password": "!u4yTWb", "date_joined": "2016-02-24T22:07:52Z"]),
            object(["email": "c@b.co", "password": "", "date_joined": "2016-02-24 23:07:52.5+01:00"], model: "a.User"),
            object(
                ["email": "d@b.co", "password": "", "date_joined": "2016-02-24T22:07:52.371513"],
                model: "a.customuser"
            ),
            object(["email": "e@b.co", "password": "", "date_joined": "2016-02-24T20:37:52-01:30"]),
        ])
        let outcome = try importing("\u{FEFF}" + users.prettyText + "\n", from: "django")
        #expect(outcome.output == "imported: 5 accounts into \(folder.path("store"))", "\(outcome.errors)")
        let accounts = try accounts()
        #expect(
            accounts.compactMap { $0["person"]?["email"]?.string }.map { $0.prefix(1) } == ["a", "b", "c", "d", "e"]
        )
        let seconds = ["52.371000", "52.000000", "52.500000", "52.371513", "52.000000"]
        #expect(accounts.map { $0["created"]?.string } == seconds.map { "2016-02-24T22:07:\($0)Z" })
        #expect(accounts.allSatisfy { $0["is_confirmed"] == false && $0["person"]?["created"] == $0["created"] })
        let postern = try PosternProcess(data + ["--no-email-confirmation"])
        let signIn: JSONValue = ["email": "a@b.co", "password": .string(vector.password)]
        #expect(try postern.reply(to: "operators.signin", signIn)["result"] != nil)
        #expect(try postern.reply(to: "operators.signin", ["email": "b@b.co", "password": "!u4yTWb"])["error"] != nil)
        postern.finish()
    }

    @Test func refusesUsersOfDjangoThatItCannotImport() throws {
        let users: JSONValue = .array([
            object(["email": "a@b.co", "password": "", "is_active": false]),
            object(["email": 5, "password": "md5$salt$0123456789abcdef0123456789abcdef", "date_joined": "yesterday"]),
            object(["email": "c@b.co", "password": "", "first_name": "", "is_active": 1]),
            object(["email": "d@b.co", "password": "", "date_joined": "9999-12-31T23:59:59Z"]),
        ])
        let outcome = try importing(users.text, from: "django")
        let expected = [
            "object 1: is_active: an inactive user could sign in after the import",
            "object 2: email: not a string", "object 2: date_joined: not a time of ISO 8601",
            "object 2: email: field_required",
            "object 2: password_hash: not a password hash of a known form with limited cost",
            "object 3: is_active: not true or false", "object 3: first_name: field_required",
            "object 4: created: not a time between 1970 and 2200",
        ]
        let lines = outcome.errors.split(separator: "\n").map(String.init)
        #expect(Set(lines.dropLast()) == Set(expected) && lines.last?.hasSuffix(": 4") == true, "\(outcome.errors)")
        #expect(outcome.status == 1)
        #expect(try accounts() == [])
    }

    @Test(arguments: [
        ("", "not JSON: the text ends where a JSON value is expected at byte 0"),
        ("{}", "not the array of manage.py dumpdata"), ("[] []", "not JSON: expected the end of the message at byte 3"),
        ("[{\"model\":\"auth.user\"}]", "object 1 has no model and fields, as in manage.py dumpdata"),
        ("[1]", "object 1 has no model and fields, as in manage.py dumpdata"),
        ("[{\"model\":\"b.blog\",\"fields\":{}}]", "no object of a user model, such as auth.user, but of b.blog"),
        (
            "[{\"model\":\"auth.user\",\"fields\":{\"email\":\"a@b.co\",\"first_name\":\"A\",\"last_name\":\"B\"}},",
            "not JSON"
        ),
    ])
    func refusesATextThatIsNotOfDjango(text: String, reason: String) throws {
        for arguments in [[], ["--skip-invalid"]] {
            let outcome = try importing(text, from: "django", arguments)
            #expect(outcome.errors.hasPrefix("postern: \(folder.path("users.json")): \(reason)"), "\(outcome.errors)")
            #expect(outcome.status == 1)
        }
        #expect(try accounts() == [])
    }

    // MARK: Firebase

    private static let firebase: JSONValue = [
        "users": [
            [
                "localId": "x1", "email": "a@b.co", "emailVerified": true, "displayName": "Ann  van Lee",
                "createdAt": "1456351672371", "lastSignedInAt": "1456351672371", "phoneNumber": "+15555550100",
                "providerUserInfo": [["providerId": "google.com"]],
            ],
            ["localId": "x2", "email": "b@b.co", "emailVerified": false, "displayName": "Bob", "createdAt": "1"],
            ["localId": "x3", "email": "c@b.co", "displayName": "Cy Lee"],
        ]
    ]

    @Test func readsFirebasesUsers() throws {
        let outcome = try importing(Self.firebase.prettyText, from: "firebase", to: "care")
        #expect(outcome.output == "imported: 3 accounts into \(folder.path("store"))", "\(outcome.errors)")
        let users = try accounts("care.users")
        #expect(users.map { $0["is_proven"]?.bool } == [true, false, false])
        #expect(users.map { $0["first_name"]?.string } == ["Ann", "Bob", "Cy"])
        #expect(users.map { $0["last_name"]?.string } == ["van Lee", "", "Lee"])
        #expect(users.map { $0["phone"]?.string } == ["+15555550100", "", ""])
        #expect(
            users.prefix(2).map { $0["created"]?.string } == [
                "2016-02-24T22:07:52.371000Z", "1970-01-01T00:00:00.001000Z",
            ]
        )
        // A reset, whose mail has a temporary password, gives a password.
        let postern = try PosternProcess(data)
        #expect(try postern.reply(to: "care.user.reset_password", ["email": "b@b.co"])["result"] != nil)
        let mail = try PosternProcess.run(["outbox", "show", "1"] + data).output
        let password = try #require(mail.split(separator: "\n").first { $0.utf8.count >= 16 && !$0.contains(" ") })
        let signIn: JSONValue = ["email": "b@b.co", "password": .string(String(password))]
        #expect(try postern.reply(to: "care.auth.token", signIn)["result"] != nil)
        postern.finish()
    }

    /// The parameters, salt, password and hash from the README of github.com/firebase/scrypt.
    private static let parameters = """
        hash_config {
          algorithm: SCRYPT,
          base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
          base64_salt_separator: Bw==,
          rounds: 8,
          mem_cost: 14,
        }
        """
    private static let user: JSONValue = [
        "email": "a@b.co", "displayName": "A B", "salt": "42xEC+ixf3L2lw==", "emailVerified": true,
        "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    ]

    private func parameters(_ text: String) throws -> [String] {
        let path = folder.path("hash_config")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return ["--firebase-hash", path]
    }

    @Test(arguments: ["\n", "\r\n"])
    func signsUsersOfFirebaseIn(lineEnd: String) throws {
        let flags = try parameters(Self.parameters.replacing("\n", with: lineEnd))
        let users: JSONValue = ["users": [Self.user, ["email": "b@b.co", "displayName": "No Password"]]]
        #expect(try importing(users.text, from: "firebase", flags).status == 0)
        let postern = try PosternProcess(data)
        for (password, isRight) in [("user1passwort", false), ("user1password", true), ("user1password", true)] {
            let signIn: JSONValue = ["email": "a@b.co", "password": .string(password)]
            #expect((try postern.reply(to: "operators.signin", signIn)["result"] != nil) == isRight)
        }
        postern.finish()
        #expect(try accounts().allSatisfy { $0["password_hash"]?.string?.hasPrefix("$argon2id$") == true })
    }

    @Test func refusesWrongParametersOfFirebase() throws {
        let users: JSONValue = ["users": [Self.user]]
        for (text, error) in [
            ("", "no base64_signer_key"), (Self.parameters.replacing("rounds", with: "round"), "no rounds"),
            (Self.parameters.replacing("14", with: " "), "no mem_cost"),
        ] {
            let outcome = try importing(users.text, from: "firebase", try parameters(text))
            #expect(outcome.status == 64)
            #expect(
                outcome.errors
                    == "postern: --firebase-hash: \(folder.path("hash_config")): \(error); see postern --help\n"
            )
        }
        for text in [Self.parameters.replacing("14", with: "18"), Self.parameters.replacing("jxspr8", with: "jxsp$8")] {
            let outcome = try importing(users.text, from: "firebase", try parameters(text))
            #expect(outcome.errors.hasPrefix("user 1: password_hash: not a password hash"), "\(outcome.errors)")
        }
        let missing = try importing(users.text, from: "firebase", ["--firebase-hash", folder.path("missing")])
        #expect(missing.status == 64 && missing.errors.hasPrefix("postern: --firebase-hash: "))
        let django = try importing("[]", from: "django", try parameters(Self.parameters))
        #expect(django.errors == "postern: --firebase-hash needs --from firebase; see postern --help\n")
        #expect(try accounts() == [])
    }

    /// Operators and sales accounts need both names.
    @Test func refusesUsersOfFirebaseThatItCannotImport() throws {
        let users: JSONValue = [
            "users": [
                ["email": "a@b.co", "displayName": "A B", "passwordHash": "bHM=", "salt": "c2FsdA=="],
                ["email": "b@b.co", "displayName": "A B", "disabled": true], ["email": "c@b.co", "displayName": "Cy"],
                ["localId": "phone", "displayName": "A B"],
                ["email": "d@b.co", "displayName": "A B", "createdAt": "99999999999999999999"],
            ]
        ]
        for (api, required) in [("operators", "field_required"), ("sales", "invalid_request")] {
            let outcome = try importing(users.text, from: "firebase", to: api)
            let lines = outcome.errors.split(separator: "\n").map(String.init)
            let expected = [
                "user 1: passwordHash: needs --firebase-hash; without passwordHash the user gets a password by a reset",
                "user 2: disabled: a disabled user could sign in after the import", "user 3: last_name: \(required)",
                "user 4: email: \(required)", "user 5: createdAt: not a time in milliseconds",
            ]
            #expect(Array(lines.dropLast()) == expected, "\(outcome.errors)")
            #expect(outcome.status == 1)
        }
        #expect(try accounts() == [])
    }

    @Test(arguments: [
        ("[]", "not the object of firebase auth:export, with users"), ("{\"user\":[]}", "not the object of firebase"),
        ("{\"users\":{}}", "not the object of firebase"), ("{\"users\":[1]}", "user 1 is not an object"),
        ("{\"users\":[]", "not JSON: the text ends"),
    ])
    func refusesATextThatIsNotOfFirebase(text: String, reason: String) throws {
        let outcome = try importing(text, from: "firebase")
        #expect(outcome.errors.hasPrefix("postern: \(folder.path("users.json")): \(reason)"), "\(outcome.errors)")
        #expect(outcome.status == 1)
    }

    /// An empty export is no mistake of its form.
    @Test func importsNoUsers() throws {
        for (text, format) in [("[]", "django"), ("{\"users\":[]}", "firebase")] {
            #expect(try importing(text, from: format).output == "imported: 0 accounts into \(folder.path("store"))")
        }
    }
}
