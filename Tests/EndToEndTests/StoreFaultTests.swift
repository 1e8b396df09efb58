import Foundation
import JSON
import PosternTesting
import Testing

/// Disk errors, as requests see them.
struct StoreFaultTests {
    private let folder = TemporaryDirectory()

    private func register(_ number: Int) -> JSONValue {
        [
            "email": .string("c\(number)@b.co"), "password": "p", "role": "user",
            "first_name": .string(String(repeating: "x", count: 150)),
        ]
    }

    /// A limit on the file size simulates a full disk; the store handles both in the same way.
    @Test func reportsAFullDiskAndStillAnswersReads() throws {
        let postern = try PosternProcess(["--data", folder.path("store")], shell: #"ulimit -f 16; exec "$@""#)
        _ = try postern.reply(to: "care.user.register", register(1))
        let sign: JSONValue = ["email": "c1@b.co", "password": "p"]
        let token = try #require(try postern.reply(to: "care.auth.token", sign)["result"]?["access_token"])
        var created = 1
        var failure: JSONValue?
        for number in 2...40 where failure == nil {
            let reply = try postern.reply(to: "care.user.register", register(number))
            failure = reply["error"]
            created += failure == nil ? 1 : 0
        }
        #expect(failure?["code"]?.int == 507)
        #expect(failure?["data"] == ["success": false, "errors": ["disk_full"]])
        #expect((1...39).contains(created))
        // A method that only reads is answered, even in a batch with one that cannot write.
        let view: JSONValue = ["access_token": token]
        #expect(try postern.reply(to: "care.user.view", view)["result"]?["email"] == "c1@b.co")
        postern.send(
            #"[{"jsonrpc":"2.0","id":"a","method":"system.info"},"#
                + #"{"jsonrpc":"2.0","id":"b","method":"care.user.view","params":\#(view.text)},"#
                + #"{"jsonrpc":"2.0","id":"c","method":"care.user.register","params":\#(register(99).text)}]"#
        )
        let batch = try #require(try postern.nextReply().array)
        #expect(batch.map { $0["id"]?.string } == ["a", "b", "c"])
        #expect(batch.first?["result"] != nil && batch.last?["error"]?["code"]?.int == 507)
        #expect(batch.dropFirst().first?["result"]?["email"] == "c1@b.co")
        // A log line for each refused request once filled the disk that had the log.
        let line = "the disk, or the quota on it, is full"
        #expect(postern.errorText.components(separatedBy: line).count == 2, "\(postern.errorText)")
        // A tool's call reports the error in its result.
        try postern.reply(to: "initialize", ["protocolVersion": "2025-11-25"])
        let call: JSONValue = ["name": "care_user_register", "arguments": register(99)]
        let result = try #require(try postern.reply(to: "tools/call", call)["result"])
        #expect(result["isError"] == true)
        let text = try JSONValue(parsing: result["content"]?.array?.first?["text"]?.string ?? "")
        #expect(text["code"]?.int == 507 && text["data"] == ["success": false, "errors": ["disk_full"]])
        postern.finish()
        #expect(postern.status == 0)

        // With space again, exactly the acknowledged accounts exist.
        let next = try PosternProcess(["--data", folder.path("store")])
        for number in 1...created {
            let again = try next.reply(to: "care.user.register", register(number))
            #expect(again["error"]?["data"]?["errors"] == ["user_already_exists"])
        }
        #expect(try next.reply(to: "care.user.register", register(created + 1))["result"] != nil)
    }

    @Test func refusesADamagedStore() throws {
        let postern = try PosternProcess(["--data", folder.path("store")])
        for number in 1...3 { _ = try postern.reply(to: "care.user.register", register(number)) }
        postern.finish()
        let journal = folder.path("store/journal-1.jsonl")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: journal))
        let outcome = try PosternProcess.run(["--data", folder.path("store")])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("journal-1.jsonl is damaged at byte"))
    }

    /// The base is memory-mapped, so an access beyond its new end raises SIGBUS.
    @Test func endsWithAnErrorWhenTheBaseIsTruncated() throws {
        let postern = try PosternProcess(["--data", folder.path("store")])
        for number in 1...3 { _ = try postern.reply(to: "care.user.register", register(number)) }
        #expect(try PosternProcess.run(["compact", "--data", folder.path("store")]).status == 0)
        _ = try postern.reply(to: "care.user.register", register(4))
        #expect(truncate(folder.path("store/base-2.jsonl"), 0) == 0)
        let sign: JSONValue = ["email": "c2@b.co", "password": "p"]
        #expect(try postern.reply(to: "care.auth.token", sign) == .null)
        #expect(postern.status == 1)
        #expect(postern.errorText.contains("a file of the store was truncated"))
    }
}
