import Foundation
import JSON
import PosternTesting
import PosternTranscripts
import Transcripts
import Testing

@testable import PosternSchema

/// A method that claims to be idempotent, called twice where the transcripts call it once.
///
/// The transcripts say what each request after it gets, so a second call that changed anything shows in them.
struct IdempotenceTests {
    private static func methods() throws -> [PosternSchema.Method] {
        try Contract(root: PosternProcess.repository.path).apis.flatMap(\.methods)
    }

    @Test func aSecondCallChangesNothing() async throws {
        let methods = Dictionary(uniqueKeysWithValues: try Self.methods().map { ($0.name, $0) })
        var repeated: Set<String> = []
        for transcript in try Transcript.all() {
            let postern = try PosternProcess(Transcript.deterministicFlags + transcript.arguments)
            let failures = try await transcript.play { request, step in
                postern.send(request.text)
                guard step.expected != nil else { return nil }
                let reply = try postern.nextReply()
                guard reply["result"] != nil, let name = request["method"]?.string, let method = methods[name],
                    method.isIdempotent
                else { return reply }
                postern.send(request.text)
                let second = try postern.nextReply()
                repeated.insert(name)
                if method.effect.isReadOnly { #expect(second == reply, "\(transcript):\(step.line)") }
                return reply
            }
            #expect(failures == [])
            postern.finish()
        }
        #expect(Set(methods.values.filter(\.isIdempotent).map(\.name)).subtracting(repeated) == [])
    }

    /// What follows from a method's effect was stated with it, and could be stated wrongly.
    @Test func whatFollowsFromTheEffectIsNotStated() {
        func method(_ properties: [JSONValue.Property]) throws -> PosternSchema.Method {
            let known: [JSONValue.Property] = [
                .init("name", "clubs.join"), .init("summary", "Joins."), .init("description", ""),
            ]
            return try PosternSchema.Method(.object(known + properties), inputs: [], authentication: nil)
        }
        #expect(throws: SchemaError.self) { try method([]) }
        #expect(throws: SchemaError.self) { try method([.init("effect", "reads"), .init("idempotent", true)]) }
        #expect(throws: SchemaError.self) { try method([.init("effect", "writes")]) }
        #expect(throws: Never.self) { try method([.init("effect", "adds"), .init("idempotent", true)]) }
    }
}
