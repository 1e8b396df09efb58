import Foundation
import PosternClient
import PosternClientTrials
import PosternTesting
import PosternTranscripts
import Transcripts
import JSON
import Testing

/// Replays the transcripts of schema/cases through the client.
struct ReplayTests {
    @Test func allTranscriptsMatchAndEachTypedMethodIsCalled() async throws {
        var typedMethods: Set<String> = []
        for transcript in try Transcript.all() {
            let replay = try await Replay(of: transcript, binary: Binaries.postern)
            #expect(replay.failures == [])
            #expect(replay.replies.count >= transcript.steps.count)
            typedMethods.formUnion(replay.typedMethods)
        }
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let contract = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let names = try #require(contract["methods"]?.array).compactMap { $0["name"]?.string }
        #expect(!names.isEmpty)
        #expect(typedMethods == Set(names))
    }

    @Test func eachSlugOfTheTranscriptsIsKnown() throws {
        let known = Set(ErrorSlug.known.map(\.text))
        let expected = try Transcript.all().reduce(into: Set<String>()) { $0.formUnion($1.slugs) }
        #expect(expected.subtracting(known) == [])
        #expect(ErrorSlug.known.contains(ErrorSlug.Operators.wrongPassword))
    }

    @Test func canonicalTextSortsNamesAndEscapesOnlyWhatJSONRequires() throws {
        let value = try JSONValue(parsing: #"{"b": [1, "\u2028\u00e9\n\u0001\"/"], "a": {}, "B": 1.50}"#)
        #expect(value.canonicalText == "{\"B\":1.50,\"a\":{},\"b\":[1,\"\u{2028}é\\n\\u0001\\\"/\"]}")
    }
}
