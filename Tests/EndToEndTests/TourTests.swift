import Foundation
import PosternTesting
import Testing

/// The transcript of `make demo`.
struct TourTests {
    @Test func getsTheRecordedReplies() throws {
        func text(_ name: String) throws -> String {
            let file = PosternProcess.repository.appendingPathComponent("examples/\(name)")
            return try String(contentsOf: file, encoding: .utf8)
        }
        let outcome = try PosternProcess.run(PosternProcess.deterministicFlags, input: try text("tour.jsonl"))
        #expect(
            outcome.output + "\n" == (try text("tour.replies.jsonl")),
            "run make tour where the contract has changed"
        )
        // The replies do not depend on how the input is split into writes.
        let postern = try PosternProcess(PosternProcess.deterministicFlags)
        let replies = try text("tour.jsonl").split(separator: "\n").map { line in
            postern.send(String(line))
            return postern.nextLine() ?? ""
        }
        #expect(replies.joined(separator: "\n") == outcome.output)
    }
}
