import Foundation
import JSON
import PosternTesting
import Testing

/// The document that `rpc.discover` answers.
struct OpenRPCTests {
    @Test func isOpenRPCAndTrue() throws {
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

    @Test func isWhatTheProgramAnswers() throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let postern = try PosternProcess(["--data", ":memory:"])
        #expect(try postern.reply(to: "rpc.discover")["result"] == document)
        #expect(try JSONValue(parsing: PosternProcess.run(["schema"]).output) == document)
    }
}
