import JSON
import PosternTranscripts
package import Transcripts
import PosternClient

/// A transcript that was replayed through the client: with the typed methods if the params have their types, or else
/// with `call`.
package struct Replay {
    /// Each reply as a line of JSON, for comparison with other clients.
    package private(set) var replies: [String] = []
    /// The differences from the transcript.
    package private(set) var failures: [String] = []
    /// The methods that were called as typed methods.
    package private(set) var typedMethods: Set<String> = []

    /// - Parameter binary: the binary; see `Postern.init`.
    package init(of transcript: Transcript, binary: String? = nil) async throws {
        let arguments = Array(try Transcript.deterministicFlags.dropFirst(2)) + transcript.arguments
        let postern = try Postern(data: ":memory:", binary: binary, arguments: arguments)
        failures = try await transcript.play { request, step in
            let outcome = try await self.outcome(of: request, through: postern)
            let reply: JSONValue = [
                "case": .string(transcript.name), "line": .number(String(step.line)), "reply": outcome,
            ]
            replies.append(reply.canonicalText)
            let envelope: [JSONValue.Property] = [
                JSONValue.Property("jsonrpc", "2.0"), JSONValue.Property("id", request["id"] ?? .null),
            ]
            return .object(envelope + (outcome.object ?? []))
        }
        await postern.close()
    }

    /// An object with the reply's `result` or `error`.
    private mutating func outcome(of request: JSONValue, through postern: Postern) async throws -> JSONValue {
        let method = request["method"]?.string ?? ""
        do throws(PosternError) {
            if let result = try await postern.typedResult(of: method, request["params"] ?? [:]) {
                typedMethods.insert(method)
                return ["result": result]
            }
            return ["result": JSONValue(handedOn: try await postern.call(method, params: request["params"]?.text))]
        } catch {
            guard case .call(let error) = error else { throw error }
            return ["error": error.json]
        }
    }
}

extension CallError {
    /// The error as the service sent it. The client parses only some properties of `data` and keeps all of it as text.
    fileprivate var json: JSONValue {
        var properties = [
            JSONValue.Property("code", .number(String(code))), JSONValue.Property("message", .string(message)),
        ]
        if let data { properties.append(JSONValue.Property("data", JSONValue(handedOn: data))) }
        return .object(properties)
    }
}
