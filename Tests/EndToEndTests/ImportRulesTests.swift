import DirectoryStore
import Accounts
import Foundation
import JSON
import PosternTesting
import Store
import Testing

/// An import accepts only values that a request could set, and `check` finds the same faults.
struct ImportRulesTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    /// The export of a store with records of most types.
    private func export() throws -> [String] {
        let postern = try PosternProcess(data)
        let user: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let account = try postern.reply(to: "operators.register", ["user": user, "password": "p"])["result"] ?? .null
        let (id, session) = (account["id"] ?? .null, account["session_id"] ?? .null)
        let client: JSONValue = ["user": ["first_name": "C", "last_name": "D", "email": "c@b.co"], "address": "E"]
        let create: JSONValue = ["user_id": id, "session_id": session, "client": client]
        #expect(try postern.reply(to: "operators.client.create", create)["result"] != nil)
        let register: JSONValue = ["email": "a@b.co", "password": "p", "role": "clinician"]
        #expect(try postern.reply(to: "care.user.register", register)["result"] != nil)
        let token = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "p"])["result"]
        #expect(token != nil)
        _ = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "wrong"])
        let code = try PosternProcess.run(["invite"] + data).output
        let customer: JSONValue = [
            "email": "s@b.co", "password": "p", "referral_code": .string(code), "source": "web",
            "name": ["first": "S", "last": "T"],
        ]
        #expect(try postern.reply(to: "sales.user.create_customer", customer)["result"] != nil)
        postern.finish()
        return try PosternProcess.run(["export"] + data).output.split(separator: "\n").map(String.init)
    }

    private func importing(_ lines: [String], to name: String = "new") throws -> PosternProcess.Outcome {
        try PosternProcess.run(
            ["import", "--data", folder.path(name)],
            input: lines.joined(separator: "\n") + "\n"
        )
    }

    /// Copies of a record in which one text or number has an invalid value, each with the path of that property.
    private func changes(of record: JSONValue) -> [(property: String, record: JSONValue)] {
        guard case .object(let properties) = record else { return [] }
        return properties.enumerated().flatMap { index, property -> [(property: String, record: JSONValue)] in
            var values: [JSONValue] = []
            switch property.value {
            case .object:
                return changes(of: property.value).map { inner in
                    var changed = properties
                    changed[index].value = inner.record
                    return ("\(property.name).\(inner.property)", .object(changed))
                }
            case .number: values = [-1, 10_000_000_000, .number("9223372036854775807")]
            case .string(let text) where text.hasSuffix("Z") && text.contains("T"):
                values = ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z", "today"]
            case .string: values = ["\u{7}"]
            default: break
            }
            return values.map { value in
                var changed = properties
                changed[index].value = value
                return (property.name, .object(changed))
            }
        }
    }

    /// A number that does not fit into a key once ended the program, and every text was accepted unchanged.
    @Test func validatesEachProperty() throws {
        let lines = try export()
        #expect(try importing(lines).status == 0)
        // Free text.
        let free: Set = [
            "outbox/last_error", "outbox texts/text", "outbox texts/code", "outbox texts/link", "decoy mails/text",
        ]
        var tried = 0
        for (index, line) in lines.enumerated() {
            let value = try JSONValue(parsing: line)
            guard let collection = value["collection"]?.string, let record = value["record"] else { continue }
            for change in changes(of: record) where !free.contains("\(collection)/\(change.property)") {
                var changed = lines
                changed[index] = (["collection": .string(collection), "record": change.record] as JSONValue).text
                let outcome = try importing(changed, to: "other")
                let name = change.property.split(separator: ".").last.map(String.init) ?? ""
                #expect(outcome.status == 1 && outcome.output == "", "\(changed[index]): \(outcome.errors)")
                let isNamed = outcome.errors.split(separator: "\n").contains {
                    $0.hasPrefix("line \(index + 1): ") && ($0.contains(name) || $0.contains("has the wrong type"))
                }
                #expect(isNamed, "\(changed[index]): \(outcome.errors)")
                tried += 1
            }
        }
        #expect(tried > 50)
        #expect(!FileManager.default.fileExists(atPath: folder.path("other")))
    }

    /// A referral code that no `create_…` method accepts was once imported.
    @Test(arguments: [(64, 0 as Int32), (65, 1)])
    func limitsTheLengthOfAReferralCode(characters: Int, status: Int32) throws {
        let code = String(repeating: "7", count: characters)
        let lines = try export().map { line in
            line.replacing(/"referral_code":(null|"[^"]*")/, with: #""referral_code":"\#(code)""#)
        }
        #expect(lines.contains { $0.contains(code) })
        let outcome = try importing(lines)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(status == 0 || outcome.errors.contains("sales.users: referral_code: "), "\(outcome.errors)")
    }

    private static let withLongNames: [(line: String, fault: String)] = [
        (#"{"collection":"\#(long)","record":{}}"#, #"there is no collection \x1B\x1B\x1B"#),
        (#"{"counter":"\#(long)","value":1}"#, #"there is no counter \x1B\x1B\x1B"#),
        (#"{"\#(long)":1,"\#(long)":2}"#, #"the property \x1B\x1B\x1B"#),
        ("{" + (0..<100_000).map { #""p\#($0)":0"# }.joined(separator: ",") + "}", "this is neither a counter"),
    ]

    /// A name in the file was once printed whole with its control characters. Each property of a line was compared
    /// with all before it, which took ten seconds for a line of 60,000 properties.
    @Test(arguments: withLongNames.indices)
    func shortensALongNameInAnError(_ row: Int) throws {
        let (line, fault) = Self.withLongNames[row]
        let start = ContinuousClock.now
        let outcome = try importing([line, #"{"end":true}"#])
        #expect(ContinuousClock.now - start < .seconds(10))
        let errors = String(outcome.errors.prefix(500))
        #expect(outcome.status == 1 && errors.hasPrefix("line 1: \(fault)") && outcome.errors == errors)
    }

    private static let long = String(repeating: #"\u001b"#, count: 100_000)

    /// Two names that are canonically equivalent in Unicode are different names.
    @Test func comparesNamesByTheirBytes() throws {
        let outcome = try importing(["{\"\u{E9}\":1,\"e\u{301}\":1}", #"{"end":true}"#])
        #expect(outcome.errors.hasPrefix("line 1: this is neither"), "\(outcome.errors)")
    }

    /// The limit was once applied only to lines that arrived in several pieces, and not to their last piece.
    @Test(arguments: [(0, 0 as Int32), (1, 1)])
    func limitsTheLengthOfEachLine(extra: Int, status: Int32) throws {
        let bytes = 8_388_608 + extra
        let blank = String(repeating: " ", count: bytes)
        let outcome = try importing([#"{"export":1}"#, blank, #"{"end":true}"#])
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(status == 0 || outcome.errors.hasPrefix("line 2: longer than 8388608 bytes"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ("password_hash", "$2b$16$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "not a password hash"),
        ("password_hash", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "not a password hash"),
        (
            "password_hash",
            "$argon2id$v=19$m=4194304,t=2,p=1$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E",
            "not a password hash"
        ),
        ("email", " a@b.co", "email"), ("email", "a b@b.co", "invalid_email"), ("role", "admin", "invalid_role"),
        ("npi", "1245319598", "invalid_npi"), ("first_name", String(repeating: "x", count: 201), "first_name"),
    ])
    func refusesValuesThatNoRequestCanSet(property: String, value: String, rule: String) throws {
        let lines = try export()
        let index = try #require(lines.firstIndex { $0.contains(#"{"collection":"care.users""#) })
        let line = try JSONValue(parsing: lines[index])
        let properties = try #require(line["record"]?.object).map {
            JSONValue.Property($0.name, $0.name == property ? .string(value) : $0.value)
        }
        var changed = lines
        changed[index] = (["collection": "care.users", "record": .object(properties)] as JSONValue).text
        let outcome = try importing(changed)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("line \(index + 1): care.users: \(property): "), "\(outcome.errors)")
        #expect(outcome.errors.contains(rule))
    }

    /// Numbers that fit into a key, but that no request produces.
    @Test(arguments: [
        ("password failures", "count", 10), ("mail quotas", "count", 101), ("care.users", "id", 0),
        ("sessions", "number", 0), ("outbox", "attempts", -1),
    ])
    func refusesNumbersThatNoRequestProduces(collection: String, property: String, number: Int) throws {
        let lines = try export()
        let index = try #require(lines.firstIndex { $0.contains(#"{"collection":"\#(collection)""#) })
        let properties = try #require(try JSONValue(parsing: lines[index])["record"]?.object).map {
            JSONValue.Property($0.name, $0.name == property ? .number(String(number)) : $0.value)
        }
        var changed = lines
        changed[index] = (["collection": .string(collection), "record": .object(properties)] as JSONValue).text
        let outcome = try importing(changed)
        #expect(outcome.status == 1)
        let fault = "line \(index + 1): \(collection): \(property): \(number) is not between"
        #expect(outcome.errors.contains(fault), "\(outcome.errors)")
    }

    /// Two accounts with the same address, and the records of a missing account.
    @Test func refusesADuplicateAccountAndRecordsWithoutAnAccount() throws {
        let lines = try export()
        let index = try #require(lines.firstIndex { $0.contains(#"{"collection":"care.users""#) })
        let second = lines[index].replacing(#""id":1,"#, with: #""id":2,"#).replacing("a@b.co", with: "A@B.co")
        let twice = try importing(Array(lines[..<index]) + [second] + Array(lines[index...]))
        #expect(
            twice.status == 1 && twice.errors.contains("care.users/email/a@b.co already belongs to the record of line")
        )
        let without = try importing(Array(lines[..<index]) + Array(lines[(index + 1)...]))
        #expect(without.status == 1)
        for property in ["account", "owner", "user"] {
            #expect(without.errors.contains(": \(property): there is no record care.users/id/0000000001"))
        }
    }

    @Test func checkFindsRecordsOfADeletedAccount() throws {
        _ = try export()
        let engine = try LocalEngine(directory: folder.path("store"), log: { _ in })
        let store = Store(engine: engine)
        try store.transact { try $0.delete(CareUser.self, Key(1)) }
        try store.makeDurable()
        store.close()
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 1 && check.errors.contains("has records that break rules"))
        let sessions = check.output.split(separator: "\n").filter { $0.hasPrefix("fault: sessions/id/care/") }
        #expect(sessions.count == 1 && sessions[0].contains("account: there is no record care.users/id/0000000001"))
        #expect(check.output.contains("fault: password failures/id/care/"))
    }

    /// After the last number of a counter, the next registration once ended the program.
    @Test func continuesAfterTheLastNumberOfACounter() throws {
        let lines = [#"{"counter":"care.users","value":9999999998}"#, #"{"end":true}"#]
        #expect(try importing(lines).status == 0)
        #expect(try importing([#"{"counter":"care.users","value":9999999999}"#, lines[1]], to: "other").status == 1)
        let postern = try PosternProcess(["--data", folder.path("new")])
        for (number, isDone) in [(1, true), (2, false)] {
            let register: JSONValue = ["email": .string("a\(number)@b.co"), "password": "p", "role": "user"]
            #expect(try (postern.reply(to: "care.user.register", register)["result"] != nil) == isDone)
        }
        #expect(try postern.reply(to: "system.info")["result"] != nil)
    }
}
