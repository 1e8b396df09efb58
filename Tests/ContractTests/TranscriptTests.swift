import Foundation
import JSON
import PosternTesting
import PosternTranscripts
import Testing

/// The transcripts of schema/cases, through the real binary.
struct TranscriptTests {
    @Test(arguments: try Transcript.all())
    func playAsWritten(_ transcript: Transcript) async throws {
        let postern = try PosternProcess(Transcript.rehearsal + transcript.arguments)
        let failures = try await transcript.play { request, step in
            postern.send(request.text)
            return step.expected == nil ? nil : try postern.nextReply()
        }
        #expect(failures == [])
        #expect(postern.finish() == "")
    }

    /// How many methods and errors each API has, so that one which is lost from its file is missed here.
    @Test(arguments: [("operators", 12, 9), ("care", 16, 27), ("sales", 11, 8), ("service", 5, 5)])
    func coverEveryMethodAndEveryError(of name: String, methodCount: Int, slugCount: Int) throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/\(name).json")
        let api = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let transcripts = try Transcript.all()
        let methods = Set(api["methods"]?.array?.compactMap { $0["name"]?.string } ?? [])
        let slugs = Set(api["errors"]?.array?.compactMap { $0["slug"]?.string } ?? [])
        #expect(methods.subtracting(transcripts.flatMap(\.methods)) == [])
        #expect(slugs.subtracting(transcripts.flatMap(\.slugs)).subtracting(Self.storeFaults) == [])
        #expect(methods.count == methodCount && slugs.count == slugCount)
    }

    /// What no script can bring about; the tests of the store's faults do.
    private static let storeFaults: Set = ["busy", "disk_full", "read_only", "damaged"]
}
