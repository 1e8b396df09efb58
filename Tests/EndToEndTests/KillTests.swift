import Foundation
import JSON
import PosternTesting
import Testing

/// Acknowledged writes survive a kill.
struct KillTests {
    private let folder = TemporaryDirectory()

    @Test func losesNoAcknowledgedWriteToAKill() throws {
        let arguments = ["--data", folder.path("store")]
        let first = try PosternProcess(arguments)
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let registered = try first.reply(to: "operators.register", ["user": person, "password": "p"])
        let session = try #require(registered["result"]?["session_id"])
        first.finish()

        var acknowledged: Set<String> = []
        for round in 0..<40 {
            let postern = try PosternProcess(arguments)
            let emails = (0..<200).map { "c\(round)-\($0)@b.co" }
            // Alternately, all requests at once, which share their syncs, and one by one.
            let isPipelined = round % 2 == 0
            func create(_ email: String) {
                let client: JSONValue = [
                    "user": ["first_name": "C", "last_name": "D", "email": .string(email)], "address": "x",
                ]
                let params: JSONValue = ["user_id": 1, "session_id": session, "client": client]
                postern.send("operators.client.create", params)
            }
            if isPipelined { emails.forEach(create) }
            for email in emails.prefix(Int.random(in: 0..<200)) {
                if !isPipelined { create(email) }
                let reply = try postern.nextReply()
                #expect(reply["result"]?["user"]?["email"]?.string == email)
                acknowledged.insert(email)
            }
            postern.kill()
        }

        let last = try PosternProcess(arguments)
        let list = try last.reply(to: "operators.clients.get", ["user_id": 1, "session_id": session, "provision": 0])
        let clients = try #require(list["result"]?["clients"]?.array)
        let found = Set(clients.compactMap { $0["user"]?["email"]?.string })
        #expect(!acknowledged.isEmpty && acknowledged.subtracting(found) == [])
        // Each client has a unique change number, whatever happened in between.
        #expect(list["result"]?["provision"]?.int == clients.count + 1)
    }
}
