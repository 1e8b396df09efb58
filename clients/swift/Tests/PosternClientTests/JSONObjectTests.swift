import Foundation
import Testing

@testable import PosternClient

/// Objects with any properties, such as metadata.
struct JSONObjectTests {
    private struct Settings: Codable, Equatable {
        var theme: String
        var sizes: [String: Double]
    }

    @Test func metadataIsTextForTheCodersOfFoundation() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        let settings = Settings(theme: "é\u{2028}\"", sizes: ["a": 0.5])
        let text = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        let stored = try await postern.operators.setMetadata(
            userID: luke.id,
            sessionID: luke.sessionID,
            metadata: try JSONObject(text: text)
        )
        #expect(stored.appMetadata == JSONObject())
        let shown = try await postern.operators.metadata(userID: luke.id, sessionID: luke.sessionID)
        #expect(shown == stored)
        #expect(try JSONDecoder().decode(Settings.self, from: Data(shown.metadata.text.utf8)) == settings)
        await postern.close()
    }

    @Test func numbersKeepTheirDigits() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        let stored = try await postern.operators.setMetadata(
            userID: luke.id,
            sessionID: luke.sessionID,
            metadata: try JSONObject(text: #"{ "n" : [12345678901234567890, 1.50] }"#)
        )
        #expect(stored.metadata.text == #"{"n":[12345678901234567890,1.50]}"#)
        #expect("\(stored.metadata)" == stored.metadata.text)
        await postern.close()
    }

    /// The service replies to params that it cannot parse without an id, so they are never sent.
    @Test(arguments: ["", "[]", "null", #""{}""#, "{", "{} {}", #"{"a":1,"a":2}"#, #"{"a":"\ud800"}"#, deep(127)])
    func textThatIsNoObjectIsMalformed(text: String) {
        let error = #expect(throws: PosternError.self) { try JSONObject(text: text) }
        guard case .malformedParams = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func equalObjectsHaveTheSameShortestText() throws {
        #expect(try JSONObject(text: " { } ") == JSONObject())
        #expect(try JSONObject(text: #"{"\u0061": "\/"}"#) == JSONObject(text: #"{"a":"/"}"#))
        #expect(try JSONObject(text: deep(126)).text == deep(126))
    }
}

/// The text of an object with that many levels.
private func deep(_ levels: Int) -> String {
    #"{"a":"# + String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1) + "}"
}
