import DirectoryStore
import Accounts
import Foundation
import JSON
import PosternTesting
import Store
import Testing

/// What an attacker must not gain by guessing, and what guesses must not cost others.
/// Runs the real binary on a directory.
struct GuessingTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store"), "--no-email-confirmation"] }

    // MARK: Passwords

    /// The methods that check a password, with the code for a wrong password and for a locked account.
    private static let judges: [(method: String, email: String, wrong: Int, locked: Int)] = [
        ("operators.signin", "a@b.co", -9, -21), ("operators.change_password", "a@b.co", -9, -21),
        ("care.auth.token", "a@b.co", 401, 403), ("care.auth.token", "nobody@b.co", 401, 403),
        ("sales.user.authenticate", "a@b.co", 401, 429), ("sales.user.authenticate", "nobody@b.co", 401, 429),
    ]

    /// operators.change_password once checked the password outside the transaction that counts failures: a tenth
    /// failure in one process, overtaken in another process, lifted the lock.
    @Test(arguments: judges.indices)
    func checksAtMostTenPasswordsInTwoProcesses(_ row: Int) throws {
        let (method, email, wrong, locked) = Self.judges[row]
        let first = try PosternProcess(data + ["--replies", "as-completed"])
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let account = try first.reply(to: "operators.register", ["user": person, "password": "right"])["result"]
        _ = try first.reply(to: "care.user.register", ["email": "a@b.co", "password": "right", "role": "user"])
        let code = try PosternProcess.run(["invite", "--data", folder.path("store")]).output
        let name: JSONValue = ["first": "A", "last": "B"]
        let new: JSONValue = [
            "email": "a@b.co", "password": "right", "referral_code": .string(code), "name": name,
        ]
        #expect(try first.reply(to: "sales.user.create_internal", new)["result"] != nil)

        let processes = [first, try PosternProcess(data + ["--replies", "as-completed"])]
        var params: JSONValue = ["email": .string(email), "password": "wrong"]
        if method == "operators.change_password" {
            params = [
                "user_id": 1, "session_id": account?["session_id"] ?? .null, "current_password": "wrong",
                "password": "new",
            ]
        }
        for _ in 1...25 { for process in processes { process.send(method, params) } }
        var codes: [Int: Int] = [:]
        for process in processes {
            for _ in 1...25 { codes[try process.nextReply()["error"]?["code"]?.int ?? 0, default: 0] += 1 }
        }
        #expect(codes == [wrong: 10, locked: 40], "\(method) \(email)")
        // The lock holds.
        #expect(try processes[1].reply(to: method, params)["error"]?["code"]?.int == locked)
        for process in processes { process.finish() }
    }

    // MARK: Codes

    /// The code in a mail.
    private func code(ofMail number: Int) throws -> JSONValue {
        let mail = try PosternProcess.run(["outbox", "show", "\(number)", "--data", folder.path("store")]).output
        return .string(String(try #require(mail.firstMatch(of: /\n\n([0-9]+-[0-9a-f]{32})\n/)).output.1))
    }

    /// The methods that take a single-use code, with the parameter and the error code of a refusal.
    private static let resets: [(method: String, param: String, code: Int)] = [
        ("operators.complete_reset", "code", -22), ("sales.user.complete_reset", "token", 400),
    ]

    /// Makes an account of the method's API and requests a password reset. Returns the code in the mail.
    private func resetCode(for method: String, _ postern: PosternProcess) throws -> JSONValue {
        if method.hasPrefix("sales.") {
            // The command needs the store that the server creates.
            #expect(try postern.reply(to: "system.info")["result"] != nil)
            let invitation = try PosternProcess.run(["invite", "--data", folder.path("store")]).output
            let account: JSONValue = [
                "email": "a@b.co", "password": "right", "referral_code": .string(invitation),
                "name": ["first": "A", "last": "B"],
            ]
            #expect(try postern.reply(to: "sales.user.create_internal", account)["result"] != nil)
            #expect(try postern.reply(to: "sales.user.reset", ["email": "a@b.co"])["error"] == nil)
            return try code(ofMail: 1)
        }
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        #expect(try postern.reply(to: "operators.register", ["user": person, "password": "right"])["result"] != nil)
        #expect(try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])["error"] == nil)
        return try code(ofMail: 1)
    }

    @Test(arguments: resets.indices)
    func acceptsACodeOnceAmongConcurrentRequests(_ row: Int) throws {
        let (method, param, refusal) = Self.resets[row]
        let first = try PosternProcess(data + ["--replies", "as-completed"])
        let code = try resetCode(for: method, first)
        let processes = [first, try PosternProcess(data + ["--replies", "as-completed"])]
        let tries = (1...10).map { number in
            JSONValue.object([.init(param, code), .init("password", .string("new \(number)"))])
        }
        #expect(try successes(of: method, tries, in: processes, refusal) == 1)
        for process in processes { process.finish() }
    }

    @Test func givesAPatientToOneOfSeveralConcurrentClaims() throws {
        let first = try PosternProcess(data + ["--replies", "as-completed"])
        let owner = try CareSession(first)
        let share: JSONValue = [
            "access_token": owner.token, "patient_id": 1, "email": "aunt@b.co", "access": "read", "group": "family",
        ]
        #expect(try first.reply(to: "care.patients.share", share)["result"] != nil)
        let code = try code(ofMail: 2)
        let claimants = try ["aunt@b.co", "uncle@b.co"].map { try CareSession(first, email: $0) }
        let processes = [first, try PosternProcess(data + ["--replies", "as-completed"])]
        let tries = (1...5).flatMap { _ in
            claimants.map { JSONValue.object([.init("access_token", $0.token), .init("code", code)]) }
        }
        #expect(try successes(of: "care.patients.claim", tries, in: processes, 404) == 1)
        for process in processes { process.finish() }
    }

    /// Sends requests to two processes in turns, and returns how many succeed.
    /// All others must fail with the code `refusal`.
    private func successes(
        of method: String,
        _ tries: [JSONValue],
        in processes: [PosternProcess],
        _ refusal: Int
    ) throws -> Int {
        for (index, params) in tries.enumerated() { processes[index % 2].send(method, params) }
        var successes = 0
        for index in tries.indices {
            let reply = try processes[index % 2].nextReply()
            if reply["error"] == nil { successes += 1 } else { #expect(reply["error"]?["code"]?.int == refusal) }
        }
        return successes
    }

    /// Each wrong code once cost an Argon2id hash, and ten of them invalidated the right code.
    @Test(arguments: resets.indices)
    func refusesAWrongCodeWithoutHashing(_ row: Int) throws {
        let (method, param, refusal) = Self.resets[row]
        let postern = try PosternProcess(data)
        let code = try resetCode(for: method, postern)
        let written = try journalBytes()
        let bogus = JSONValue.string("1-" + String(repeating: "0", count: 32))
        let guess = JSONValue.object([.init(param, bogus), .init("password", "new")])
        #expect(try postern.reply(to: method, guess)["error"]?["code"]?.int == refusal)
        let guesses = try (1...20).map { _ in try seconds(postern, method, guess) }.sorted()
        #expect(try journalBytes() == written, "a refusal writes nothing")
        let wrong: JSONValue = ["email": "nobody@b.co", "password": "wrong"]
        let hashes = try (1...5).map { _ in try seconds(postern, "care.auth.token", wrong) }.sorted()
        #expect(guesses[10] < hashes[2] / 4, "a guess \(guesses[10]) s, a hash \(hashes[2]) s")
        let right = JSONValue.object([.init(param, code), .init("password", "new")])
        #expect(try postern.reply(to: method, right)["error"] == nil)
        postern.finish()
    }

    /// The duration of a request.
    private func seconds(_ postern: PosternProcess, _ method: String, _ params: JSONValue) throws -> Double {
        let start = ContinuousClock.now
        _ = try postern.reply(to: method, params)
        return (ContinuousClock.now - start) / .seconds(1)
    }

    // MARK: Whether an address has an account

    private static let hiding = [
        "operators.reset_password", "operators.resend_confirmation", "sales.user.reset",
        "sales.user.resend_verification",
    ]

    /// A reset once took 0.65 ms for an address with an account, and 0.2 ms for one without.
    @Test(arguments: hiding)
    func takesAsLongAndWritesAsMuchWithoutAnAccount(_ method: String) throws {
        try storeFortyAccounts()
        let postern = try PosternProcess(["--data", folder.path("store")])
        var (times, bytes): ([String: [Double]], [String: [Int]]) = ([:], [:])
        for round in 0..<200 {
            // Alternate the order, so that work between two requests does not affect only one kind.
            for domain in round % 2 == 0 ? ["known.co", "other.co"] : ["other.co", "known.co"] {
                let before = try journalBytes()
                let email = JSONValue.string("a\(round % 40)@\(domain)")
                times[domain, default: []].append(try seconds(postern, method, ["email": email]))
                bytes[domain, default: []].append(try journalBytes() - before)
            }
        }
        // Medians, because a compaction starts a new journal now and then.
        let known = try #require(times["known.co"]).sorted()[100]
        let unknown = try #require(times["other.co"]).sorted()[100]
        let ratio = known / unknown
        #expect((0.7...1.45).contains(ratio), "\(method): known takes \(ratio) of unknown")
        let knownBytes = try #require(bytes["known.co"]).sorted()[100]
        let unknownBytes = try #require(bytes["other.co"]).sorted()[100]
        #expect(knownBytes > 300 && (0.75...1.33).contains(Double(knownBytes) / Double(unknownBytes)))
        postern.finish()
        // The outbox has no decoy mails, and the files have no addresses except those of mails and accounts.
        let listed = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
        #expect(!listed.contains("@other.co"))
        #expect(!String(decoding: folder.contents, as: UTF8.self).contains("@other.co"))
    }

    /// The length of the journal, without the preallocated room at its end.
    private func journalBytes() throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("store"))
        let journal = try #require(names.first { $0.hasPrefix("journal") })
        let bytes = try #require(FileManager.default.contents(atPath: folder.path("store/\(journal)")))
        return (bytes.lastIndex { $0 > 0x20 } ?? -1) + 1
    }

    /// Stores unconfirmed accounts directly, to save the time for hashing their passwords.
    private func storeFortyAccounts() throws {
        let store = Store(engine: try LocalEngine(directory: folder.path("store"), log: { _ in }))
        let created = Timestamp(microseconds: 0)
        try store.transact { tx in
            for number in 0..<40 {
                let email = "a\(number)@known.co"
                let person = Person(
                    id: try tx.next("operators.persons"),
                    created: created,
                    firstName: "A",
                    lastName: "B",
                    email: email
                )
                try tx.insert(
                    Operator(
                        id: try tx.nextNumber(of: Operator.self),
                        created: created,
                        person: person,
                        passwordHash: "x",
                        isConfirmed: false,
                        isProven: false,
                        lastChange: 0,
                        locale: nil,
                        disabled: nil
                    )
                )
                try tx.insert(
                    SalesUser(
                        id: try tx.nextNumber(of: SalesUser.self),
                        externalID: "x\(number)",
                        created: created,
                        role: "customer",
                        email: email,
                        passwordHash: "x",
                        isVerified: false,
                        isProven: false,
                        firstName: "A",
                        lastName: "B",
                        referralCode: "code \(number)",
                        source: nil,
                        phone: nil,
                        brandID: nil,
                        locale: nil,
                        disabled: nil
                    )
                )
            }
        }
        try store.makeDurable()
        store.close()
    }

    // MARK: Invitations

    /// An invitation once never expired, could be used by anyone any number of times, and was stored in plain text.
    @Test func expiresListsAndRevokesInvitations() throws {
        let data = ["--data", folder.path("store")]
        func create(_ code: String, _ email: String) throws -> Int32 {
            let params =
                #"{"email":"\#(email)","password":"p","referral_code":"\#(code)","name":{"first":"C","last":"D"}}"#
            return try PosternProcess.run(["call", "sales.user.create_internal", params] + data).status
        }
        func list() throws -> [[Substring]] {
            try PosternProcess.run(["invite", "list"] + data).output.split(separator: "\n").map {
                $0.split(separator: "\t")
            }
        }
        #expect(try PosternProcess.run(["invite", "list"] + data).status == 1, "the command creates no store")
        _ = try PosternProcess.run(data)
        let once = try PosternProcess.run(["invite"] + data).output
        let twice = try PosternProcess.run(["invite", "--uses", "2", "--expires", "1h"] + data).output
        let revoked = try PosternProcess.run(["invite", "--role", "salesperson"] + data).output
        #expect(
            try list().map { $0.prefix(3) } == [["1", "admin", "1"], ["2", "admin", "2"], ["3", "salesperson", "1"]]
        )
        // Each expires in a week, or at the time given with `--expires`.
        for (line, seconds) in zip(try list(), [7 * 86_400, 3_600, 7 * 86_400]) {
            let ends = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(
                String(try #require(line.last))
            )
            #expect((seconds - 120...seconds).contains(Int(ends.timeIntervalSinceNow.rounded(.up))), "\(line)")
        }
        let kept = String(decoding: folder.contents, as: UTF8.self)
        for code in [once, twice, revoked] { #expect(!kept.contains(code)) }

        #expect(try PosternProcess.run(["invite", "revoke", "3"] + data).status == 0)
        #expect(try PosternProcess.run(["invite", "revoke", "3"] + data).status == 1)
        #expect(try create(once, "a@b.co") == 0 && create(once, "b@b.co") == 1)
        #expect(try create(twice, "b@b.co") == 0)
        #expect(try create(revoked, "c@b.co") == 1)
        #expect(try list().map { $0.prefix(3) } == [["2", "admin", "1"]])
    }
}
