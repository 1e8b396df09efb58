import Foundation
import JSON
import PosternTesting
import Testing

/// The document that `rpc.discover` returns.
struct OpenRPCTests {
    @Test func isValidOpenRPCAndMatchesTheTranscripts() throws {
        let root = PosternProcess.repository.path
        let check = Process()
        let output = Pipe()
        check.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        check.arguments = ["\(root)/Tests/ContractTests/Resources/check_openrpc.py", root]
        check.standardOutput = output
        check.standardError = output
        try check.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        check.waitUntilExit()
        #expect(check.terminationStatus == 0, "\(text)")
    }

    @Test func equalsTheProgramsAnswer() throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let deterministic = try PosternProcess.deterministic(["--admin"])
        #expect(try deterministic.reply(to: "rpc.discover")["result"] == document)
        #expect(try JSONValue(parsing: PosternProcess.run(["schema"]).output) == document)
    }

    /// The document once listed the methods of deterministic mode, which then answered "Method not found".
    @Test func listsOnlyTheMethodsThatAreServed() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        let document = try #require(postern.reply(to: "rpc.discover")["result"])
        let shown = try #require(document["methods"]?.array).compactMap { $0["name"]?.string }
        #expect(try postern.reply(to: "system.info")["result"]?["methods"]?.array?.compactMap(\.string) == shown)
        #expect(!shown.contains("system.outbox") && !shown.contains("admin.accounts.list"))
        #expect(document["components"] != nil)
    }
}
