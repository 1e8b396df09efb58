import Foundation
import JSON
import PosternTesting
import Testing

/// A host that follows the events with a cursor, while its process is killed again and again.
struct EventKillTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    /// After a kill, the host continues after the last event that it got. It misses no event of an acknowledged change,
    /// and a number always has the same event.
    @Test func losesNoEventToAKill() throws {
        var received: [Int: JSONValue] = [:]
        var last = 0
        var (clients, signIns) = (Set<Int>(), 0)
        func take(_ events: [JSONValue]) throws {
            for event in events {
                let seq = try #require(event["seq"]?.int)
                #expect(seq > last, "an event at or before the cursor came again")
                #expect(received.updateValue(event, forKey: seq) == nil)
                last = seq
            }
        }
        let first = try EventHost(data)
        let account = try EventfulOperator(first)
        // Another account, because an account's later sign-ins end its earlier sessions.
        _ = try EventfulOperator(first, "s@b.co")
        try first.finish()
        try take(first.events)

        for round in 0..<10 {
            let host = try EventHost(data + ["--events-after", "\(last)"])
            for number in 0..<40 {
                host.postern.send("operators.client.create", account.client(round * 40 + number))
                if number % 16 == 0 { host.postern.send("operators.signin", EventfulOperator.signIn("s@b.co")) }
            }
            for _ in 0..<Int.random(in: 1...60) {
                guard try host.take() else { break }
            }
            host.postern.kill()
            // What was written before the kill can still be read.
            while try host.take() {}
            while case let reply = try host.nextReply(), reply != .null {
                if reply["result"]?["session_id"] != nil {
                    signIns += 1
                } else {
                    clients.insert(try #require(reply["result"]?["id"]?.int, "\(reply)"))
                }
            }
            try take(host.events)
        }

        let host = try EventHost(data + ["--events-after", "\(last)"])
        try host.reply(to: "system.info")
        try host.finish()
        try take(host.events)
        #expect(Set(received.keys) == Set(1...last))
        let created = received.values.filter { $0["detail"]?["change"] == "created" }
        #expect(!clients.isEmpty && clients.isSubset(of: created.compactMap { $0["detail"]?["client"]?.int }))
        #expect(received.values.count { $0["kind"] == "signed_in" } >= signIns)
        let audit = try PosternProcess.run(["audit", "--json"] + data).output.split(separator: "\n")
        #expect(try audit.map { try JSONValue(parsing: String($0)) } == (1...last).map { received[$0] })
    }
}
