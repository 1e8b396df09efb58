import Foundation
import JSON
import PosternTesting
import Testing

/// The audit trail, as `postern audit` prints it.
struct AuditTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private static let password: JSONValue = "a long password"
    private static let client: JSONValue = ["ip": "192.0.2.7", "agent": "Mozilla/5.0"]

    private func register(_ email: JSONValue, _ postern: PosternProcess) throws -> [JSONValue.Property] {
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": email]
        let params: JSONValue = ["user": person, "password": Self.password, "client": Self.client]
        let registered = try postern.reply(to: "operators.register", params)["result"]
        return [
            .init("user_id", try #require(registered?["id"])),
            .init("session_id", try #require(registered?["session_id"])),
        ]
    }

    private func serving(_ flags: [String] = []) throws -> PosternProcess {
        try PosternProcess(data + ["--no-email-confirmation"] + flags)
    }

    private func audit(_ arguments: [String] = []) throws -> [JSONValue] {
        let outcome = try PosternProcess.run(["audit", "--json"] + arguments + data)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    private func kinds(_ events: [JSONValue]) -> [String] { events.compactMap { $0["kind"]?.string } }

    @Test func recordsWhatHappensToAnAccount() throws {
        let postern = try serving()
        let session = try register("a@b.co", postern)
        let signIn: JSONValue = ["email": "a@b.co", "password": "wrong", "client": Self.client]
        for _ in 1...10 { _ = try postern.reply(to: "operators.signin", signIn) }
        // A sign-in that the lock refuses leaves no event.
        _ = try postern.reply(to: "operators.signin", signIn)
        let client: JSONValue = ["user": ["first_name": "C", "last_name": "D", "email": "c@d.co"], "address": "x"]
        _ = try postern.reply(to: "operators.client.create", .object(session + [.init("client", client)]))
        _ = try postern.reply(to: "operators.update", .object(session + [.init("user", ["first_name": "B"])]))
        // A change to the same value is none, and neither is a read or a refused request.
        _ = try postern.reply(to: "operators.update", .object(session + [.init("user", ["first_name": "B"])]))
        _ = try postern.reply(to: "operators.clients.get", .object(session + [.init("provision", 0)]))
        _ = try postern.reply(to: "operators.client.create", .object(session))
        _ = try postern.reply(to: "operators.reset_password", ["email": "a@b.co"])
        _ = try postern.reply(to: "operators.reset_password", ["email": "unknown@b.co"])
        let events = try audit()
        let failures = Array(repeating: "sign_in_failed", count: 10)
        let changes = ["client_changed", "profile_changed", "reset_requested"]
        #expect(kinds(events) == ["registered"] + failures + ["locked"] + changes)
        #expect(events.compactMap { $0["seq"]?.int } == Array(1...events.count))
        #expect(events.allSatisfy { $0["api"] == "operators" && $0["account"] == 1 })
        #expect(events.prefix(11).allSatisfy { $0["ip"] == "192.0.2.7" && $0["agent"] == "Mozilla/5.0" })
        #expect(events[12]["detail"] == ["client": 1, "change": "created"])
        let text = events.map(\.text).joined()
        for secret in ["@b.co", "password\"", session[1].value.string ?? "none"] { #expect(!text.contains(secret)) }
    }

    /// Beyond the quota of mails, a reset once left an event only if the email had an account.
    @Test func aResetBeyondTheQuotaWritesNothing() throws {
        let postern = try serving()
        _ = try register("a@b.co", postern)
        for email: JSONValue in ["a@b.co", "unknown@b.co"] {
            for _ in 1...5 { _ = try postern.reply(to: "operators.reset_password", ["email": email]) }
        }
        let before = folder.contents
        for email: JSONValue in ["a@b.co", "unknown@b.co"] {
            #expect(try postern.reply(to: "operators.reset_password", ["email": email])["result"] == .null)
        }
        #expect(folder.contents == before)
        #expect(try kinds(audit()) == ["registered"] + Array(repeating: "reset_requested", count: 5))
    }

    /// A deleted account's events stay, without what they say about its owner.
    @Test func erasesTheOwnerFromTheEventsOfADeletedAccount() throws {
        let postern = try serving()
        let session = try register("a@b.co", postern)
        let other = try register("other@b.co", postern)
        _ = try postern.reply(to: "operators.check_password", .object(other + [.init("current_password", "x")]))
        let delete = JSONValue.object(session + [.init("current_password", Self.password)])
        #expect(try postern.reply(to: "operators.delete", delete)["result"] == .null)
        postern.finish()
        let events = try audit()
        #expect(kinds(events) == ["registered", "registered", "sign_in_failed", "account_deleted"])
        #expect(events.map { $0["ip"] } == [nil, "192.0.2.7", nil, nil])
        #expect(try kinds(audit(["--account", "operators:1"])) == ["registered", "account_deleted"])
        #expect(try kinds(audit(["--account", "operators:other@b.co"])) == ["registered", "sign_in_failed"])
        #expect(try PosternProcess.run(["audit", "--account", "operators:a@b.co"] + data).status == 1)
    }

    @Test func continuesAfterACursor() throws {
        let postern = try serving()
        for number in 1...5 { _ = try register(.string("a\(number)@b.co"), postern) }
        #expect(try audit(["--after", "3"]).compactMap { $0["seq"]?.int } == [4, 5])
        #expect(try audit(["--after", "5"]).isEmpty)
        let ahead = try PosternProcess.run(["audit", "--after", "99"] + data)
        #expect(ahead.status == 1 && ahead.errors.contains("the last event of this store has number 5"))
        postern.finish()
        // The next server shortens the trail when it starts.
        let next = try serving(["--audit-max", "2"])
        _ = try next.reply(to: "system.info")
        next.finish()
        #expect(try audit().compactMap { $0["seq"]?.int } == [4, 5])
        #expect(try audit(["--after", "3"]).count == 2)
        let gone = try PosternProcess.run(["audit", "--after", "2"] + data)
        #expect(gone.status == 1 && gone.errors.contains("events up to 3 were deleted"))
    }

    /// Invented emails once pushed all other events out of the trail.
    @Test func aFloodOfInventedEmailsLeavesTheEventsOfAccounts() throws {
        let postern = try serving(["--audit-max", "20"])
        _ = try register("a@b.co", postern)
        let signIns = 60
        for number in 1...signIns {
            let signIn: JSONValue = ["email": .string("x\(number)@b.co"), "password": "wrong"]
            let method = ["operators.signin", "care.auth.token", "sales.user.authenticate"][number % 3]
            #expect(try postern.reply(to: method, signIn)["error"] != nil)
        }
        postern.finish()
        // The next server shortens the trail when it starts.
        let next = try serving(["--audit-max", "20"])
        _ = try next.reply(to: "system.info")
        next.finish()
        let events = try audit()
        #expect(kinds(events).first == "registered" && events.count <= 20)
        #expect(events.dropFirst().allSatisfy { $0["kind"] == "sign_in_failed" && $0["account"]?.int == nil })
        #expect(try PosternProcess.run(["check"] + data).status == 0)
    }

    /// Events of four processes, one of which is killed again and again: none of an acknowledged change is missing, and
    /// no two have one number.
    @Test(.timeLimit(.minutes(2)))
    func losesNoEventToAKill() throws {
        let first = try serving()
        let session = try register("a@b.co", first)
        first.finish()
        let others = try (0..<3).map { _ in try serving() }
        func create(_ email: String, _ postern: PosternProcess) {
            let user: JSONValue = ["first_name": "C", "last_name": "D", "email": .string(email)]
            let client: JSONValue = ["user": user, "address": "x"]
            postern.send("operators.client.create", .object(session + [.init("client", client)]))
        }
        var acknowledged: Set<Int> = []
        var cursor = 0
        var seen: [Int] = []
        for round in 0..<10 {
            let killed = try serving()
            for number in 0..<50 { create("k\(round)-\(number)@b.co", killed) }
            for (place, other) in others.enumerated() { create("o\(round)-\(place)@b.co", other) }
            for _ in 0..<Int.random(in: 0..<50) {
                acknowledged.insert(try #require(killed.nextReply()["result"]?["id"]?.int))
            }
            killed.kill()
            for other in others { acknowledged.insert(try #require(other.nextReply()["result"]?["id"]?.int)) }
            // A reader goes on after its cursor while the others write.
            let events = try audit(["--after", "\(cursor)"])
            seen += events.compactMap { $0["seq"]?.int }
            cursor = seen.last ?? cursor
        }
        let all = try audit()
        #expect(all.compactMap { $0["seq"]?.int } == seen && Set(seen).count == seen.count)
        #expect(seen == Array(1...seen.count))
        let created = Set(all.compactMap { $0["detail"]?["client"]?.int })
        #expect(acknowledged.subtracting(created).isEmpty && !acknowledged.isEmpty)
        for other in others { other.finish() }
    }
}
