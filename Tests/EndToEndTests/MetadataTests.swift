import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// The metadata of accounts, through the real binary: what the store's files contain, and requests that the
/// transcripts cannot have, because their lines are JSON too.
struct MetadataTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    /// The params of a method for an account, without the closing brace.
    private func credential(_ postern: PosternProcess) throws -> String {
        let user: JSONValue = ["email": "a@b.co", "password": "p", "role": "clinician"]
        #expect(try postern.reply(to: "care.user.register", user)["result"] != nil)
        let signedIn = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "p"])
        let token = try #require(signedIn["result"]?["access_token"]?.string)
        return #"{"access_token":"\#(token)""#
    }

    private func reply(_ postern: PosternProcess, _ method: String, _ params: String) throws -> String {
        postern.send(#"{"jsonrpc":"2.0","id":1,"method":"care.user.\#(method)","params":\#(params)}"#)
        return try #require(postern.nextLine())
    }

    private func set(_ metadata: String, _ postern: PosternProcess, _ credential: String) throws -> String {
        try reply(postern, "set_metadata", #"\#(credential),"metadata":\#(metadata)}"#)
    }

    private func result(_ metadata: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"result":{"metadata":\#(metadata),"app_metadata":{},"success":true}}"#
    }

    private func nested(_ levels: Int) -> String {
        #"{"a":"# + String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1) + "}"
    }

    /// Numbers keep their digits, and strings lose needless escapes, in the reply and in the journal.
    @Test func isStoredAsJSONThatAPersonCanRead() throws {
        let postern = try PosternProcess(data)
        let credential = try credential(postern)
        let given = #"{ "n" : [ 12345678901234567890, 1.50, -0, 1E+400 ], "\u0061\u2028" : "\u00e9\/\ud83e\udda9\n" }"#
        let stored = #"{"n":[12345678901234567890,1.50,-0,1E+400],"a\u2028":"é/🦩\n"}"#
        #expect(try set(given, postern, credential) == result(stored))
        #expect(try reply(postern, "metadata", credential + "}") == result(stored))
        let journal = String(decoding: folder.contents, as: UTF8.self)
        #expect(journal.contains(#"{"realm":"care","account":1,"metadata":\#(stored),"app_metadata":{}}"#))
        // The account's own record does not grow.
        let accounts = journal.split(separator: "\n").filter { $0.contains(#""email":"a@b.co""#) }
        #expect(!accounts.isEmpty && accounts.allSatisfy { !$0.contains("metadata") })
        postern.finish()
        let reopened = try PosternProcess(data)
        #expect(try reply(reopened, "metadata", credential + "}") == result(stored))
    }

    private static let duplicates = [
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"x":[{"y":{"b":1,"c":2,"b":3}}]}"#,
        // Also in values of the wrong type.
        #"[{"a":1,"a":2}]"#,
    ]

    @Test(arguments: duplicates)
    func refusesADuplicateProperty(metadata: String) throws {
        let postern = try PosternProcess.deterministic()
        let credential = try credential(postern)
        let reply = try set(metadata, postern, credential)
        #expect(try JSONValue(parsing: reply)["error"]?["code"] == -32_602, "\(reply)")
        #expect(try self.reply(postern, "metadata", credential + "}") == result("{}"))
    }

    /// The text counts without white space and needless escapes.
    @Test func countsTheBytesOfTheShortestForm() throws {
        let postern = try PosternProcess.deterministic()
        let credential = try credential(postern)
        // `{"a":"…"}` with letters of two bytes.
        let letters = (Limits.metadataBytesMax - 8) / 2
        let longest = String(repeating: #"\u00e9"#, count: letters)
        let spaces = String(repeating: " ", count: 10_000)
        let stored = #"{"a":"\#(String(repeating: "é", count: letters))"}"#
        #expect(stored.utf8.count == Limits.metadataBytesMax)
        #expect(try set(#"{"a":\#(spaces)"\#(longest)"}"#, postern, credential) == result(stored))
        let reply = try set(#"{"a":"\#(longest)x"}"#, postern, credential)
        #expect(try JSONValue(parsing: reply)["error"]?["data"]?["errors"] == ["invalid_metadata"])
        #expect(try self.reply(postern, "metadata", credential + "}") == result(stored))
    }

    /// A line of the journal has more levels around the object than a request, so a request at the limit of requests
    /// would make the journal unreadable.
    @Test func aStoreWithTheDeepestMetadataCanBeRead() throws {
        let postern = try PosternProcess(data)
        let credential = try credential(postern)
        let deepest = nested(Limits.metadataDepthMax)
        #expect(try set(deepest, postern, credential) == result(deepest))
        // Up to the limit of a request the metadata is invalid, and past it the request.
        for levels in [Limits.metadataDepthMax + 1, 126] {
            let reply = try set(nested(levels), postern, credential)
            #expect(try JSONValue(parsing: reply)["error"]?["data"]?["errors"] == ["invalid_metadata"], "\(levels)")
        }
        #expect(try JSONValue(parsing: set(nested(127), postern, credential))["error"]?["code"] == -32_700)
        postern.finish()
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0, "\(check.output)")
        let export = try PosternProcess.run(["export"] + data).output
        #expect(export.contains(deepest))
        let other = ["--data", folder.path("other")]
        #expect(try PosternProcess.run(["import"] + other, input: export).status == 0)
        for data in [data, other] {
            #expect(try reply(PosternProcess(data), "metadata", credential + "}") == result(deepest))
        }
    }

    /// A tool's check for unknown arguments does not apply to the properties in it.
    @Test func toolsTakeAnyPropertiesInIt() throws {
        let world = try ToolWorld(isStored: false)
        let schema = try #require(world.tools().first { $0["name"] == "sales_user_set_metadata" }?["inputSchema"])
        let property = try #require(schema["properties"]?["metadata"])
        #expect(property["type"] == "object" && property["additionalProperties"] == nil)
        #expect(schema["additionalProperties"] == false)
        let base = try world.arguments(of: "sales_user_set_metadata").object ?? []
        let metadata: JSONValue = ["api_key": 1, "metadata": ["metadata": []], "nonsense": ["deep": [["er": .null]]]]
        let arguments = base.filter { $0.name != "metadata" } + [JSONValue.Property("metadata", metadata)]
        let result = try world.call("sales_user_set_metadata", .object(arguments))
        #expect(result["isError"] == false)
        #expect(result["structuredContent"]?["metadata"] == metadata)
        let unknown = try world.call("sales_user_set_metadata", .object(arguments + [.init("nonsense", 1)]))
        #expect(unknown["isError"] == true)
    }

    /// Strict params refuse an unknown param, not an unknown property of the metadata.
    @Test func strictParamsDoNotLookIntoIt() throws {
        let postern = try PosternProcess.deterministic(["--strict-params"])
        let credential = try credential(postern)
        let metadata = #"{"access_token":{"nonsense":1}}"#
        #expect(try set(metadata, postern, credential) == result(metadata))
        let reply = try self.reply(postern, "set_metadata", #"\#(credential),"metadata":{},"nonsense":1}"#)
        #expect(try JSONValue(parsing: reply)["error"]?["code"] == -32_602)
    }

    @Test func theCommandTakesItAsJSON() throws {
        let postern = try PosternProcess(data)
        let credential = try JSONValue(parsing: credential(postern) + "}")
        postern.finish()
        let token = "access_token=\(credential["access_token"]?.string ?? "")"
        let words = ["call", "care.user.set_metadata", token, #"metadata={"a":[1.50]}"#]
        let outcome = try PosternProcess.run(words + data)
        let expected = #"{"metadata":{"a":[1.50]},"app_metadata":{},"success":true}"#
        #expect(try JSONValue(parsing: outcome.output) == JSONValue(parsing: expected))
    }

    @Test func nothingIsLeftAfterTheAccountIsDeletedAndTheStoreCompacted() throws {
        let postern = try PosternProcess(data)
        let credential = try credential(postern)
        _ = try set(#"{"nickname":"Zebediah"}"#, postern, credential)
        _ = try set(#"{"nickname":"Hepzibah"}"#, postern, credential)
        let before = String(decoding: folder.contents, as: UTF8.self)
        #expect(before.contains("Zebediah") && before.contains("Hepzibah"))
        #expect(try reply(postern, "delete", credential + "}").contains(#""success":true"#))
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        postern.finish()
        let after = String(decoding: folder.contents, as: UTF8.self)
        for trace in ["Zebediah", "Hepzibah", "nickname", "app_metadata"] {
            #expect(!after.contains(trace), "\(trace)")
        }
        #expect(try !PosternProcess.run(["export"] + data).output.contains("account metadata"))
    }

    private static let invalidRecords: [(record: String, fault: String)] = [
        (#"{"realm":"care","account":2,"metadata":{},"app_metadata":{}}"#, "account"),
        (#"{"realm":"cars","account":1,"metadata":{},"app_metadata":{}}"#, "realm"),
        (#"{"realm":"care","account":1,"metadata":[],"app_metadata":{}}"#, "wrong type"),
        (#"{"realm":"care","account":1,"metadata":{"a":1,"a":1},"app_metadata":{}}"#, "twice"),
        (#"{"realm":"care","account":1,"metadata":{}}"#, "wrong type"),
        (#"{"realm":"care","account":1,"metadata":{},"app_metadata":{"a":"LONG"}}"#, "app_metadata: more than"),
        (#"{"realm":"care","account":1,"metadata":DEEP,"app_metadata":{}}"#, "metadata: more than"),
    ]

    @Test(arguments: invalidRecords)
    func anImportRefusesAnInvalidRecord(record: String, fault: String) throws {
        let postern = try PosternProcess(data)
        _ = try set(#"{"a":1}"#, postern, credential(postern))
        postern.finish()
        let filled = record.replacing("LONG", with: String(repeating: "x", count: Limits.metadataBytesMax))
            .replacing("DEEP", with: nested(Limits.metadataDepthMax + 1))
        let export = try PosternProcess.run(["export"] + data).output.split(separator: "\n").map(String.init)
        let lines = export.map { line in
            line.contains("account metadata") ? #"{"collection":"account metadata","record":\#(filled)}"# : line
        }
        #expect(lines != export)
        let input = lines.joined(separator: "\n") + "\n"
        let outcome = try PosternProcess.run(["import", "--data", folder.path("other")], input: input)
        #expect(outcome.status == 1 && outcome.errors.contains(fault), "\(outcome.errors)")
    }
}
