import Foundation
import JSON
import Testing

/// The transcripts of schema/cases, through the real binary.
struct TranscriptTests {
    @Test func playAsWritten() throws {
        for transcript in try Transcript.all() { #expect(try transcript.replay() == []) }
    }

    @Test(arguments: [("operators", 12, 9), ("sales", 11, 8)])
    func coverEveryMethodAndEveryError(of name: String, methodCount: Int, slugCount: Int) throws {
        let text = try String(
            contentsOf: Transcript.repository.appendingPathComponent("schema/\(name).json"),
            encoding: .utf8
        )
        let api = try JSONValue(parsing: text)
        let transcripts = try Transcript.all()
        let methods = Set(api["methods"]?.array?.compactMap { $0["name"]?.string } ?? [])
        let slugs = Set(api["errors"]?.array?.compactMap { $0["slug"]?.string } ?? [])
        #expect(methods.subtracting(transcripts.flatMap(\.methods)) == [])
        #expect(slugs.subtracting(transcripts.flatMap(\.slugs)) == [])
        #expect(methods.count == methodCount && slugs.count == slugCount)
    }
}
