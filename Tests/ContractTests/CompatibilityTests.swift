import Foundation
import JSON
import PosternTesting
import Testing

/// The contract beside that of the last release, `Resources/released-contract.json`.
struct CompatibilityTests {
    private static func document(_ path: String) throws -> JSONValue {
        let file = PosternProcess.repository.appendingPathComponent(path)
        return try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
    }

    private static func version(_ document: JSONValue) throws -> [Int] {
        try #require(document["info"]?["version"]?.string).split(separator: ".").compactMap { Int($0) }
    }

    /// A change that can break a program needs a higher major version.
    @Test func aProgramForTheLastReleaseStillWorks() throws {
        let released = try Self.document("Tests/ContractTests/Resources/released-contract.json")
        let current = try Self.document("schema/openrpc.json")
        let (before, after) = (try Self.version(released), try Self.version(current))
        #expect(!after.lexicographicallyPrecedes(before))
        let isNewMajor = try #require(after.first) > #require(before.first)
        let lines = BreakingChanges(from: released, to: current).lines
        #expect(isNewMajor || lines.isEmpty, "\(lines.joined(separator: "\n"))")
    }

    /// A change of a small contract, and what it is reported as; nil for a change that breaks nothing.
    @Test(
        arguments: [
            (#""name":"clubs.join""#, #""name":"clubs.enter""#, "clubs.join is removed"),
            (#""name":"code""#, #""name":"token""#, "clubs.join: the param code is removed"),
            (#""code","required":false"#, #""code","required":true"#, "clubs.join: the param code is now required"),
            (
                #""params":["#, #""params":[{"name":"age","required":true,"schema":{}},"#,
                "clubs.join: the new param age is required"
            ),
            (#""params":["#, #""params":[{"name":"age","required":false,"schema":{}},"#, nil),
            (#""maxLength":20"#, #""maxLength":19"#, "clubs.join: the param code has a lower maxLength"),
            (#""maxLength":20"#, #""maxLength":21"#, nil),
            (#""maxLength":20"#, #""maxLength":20,"pattern":"^a$""#, "clubs.join: the param code has another pattern"),
            (#""maxLength":20"#, #""maxLength":20,"minLength":2"#, "clubs.join: the param code has a higher minLength"),
            (#"["string","null"]"#, #""string""#, "clubs.join: the param code no longer takes null"),
            (#""enum":["a","b"]"#, #""enum":["a"]"#, "clubs.join: the param kind takes fewer values"),
            (#""enum":["a","b"]"#, #""enum":["a","b","c"]"#, nil),
            (#""id":{"type":"integer"}"#, #""number":{"type":"integer"}"#, "clubs.join: the result.id is removed"),
            (#""id":{"type":"integer"}"#, #""id":{"type":"string"}"#, "clubs.join: the result.id can now be string"),
            (#""id":{"type":"integer"}"#, #""id":{"type":"integer"},"more":{"type":"string"}"#, nil),
            (#""required":["id"]"#, #""required":[]"#, "clubs.join: the result.id can now be missing"),
            (#""full""#, #""closed""#, "clubs.join: the error full is removed"),
            (#""code":-7"#, #""code":-8"#, "clubs.join: the error full has the code -8, not -7"),
        ] as [(String, String, String?)]
    )
    func aChangeIsReported(_ before: String, _ after: String, _ line: String?) throws {
        let contract = """
            {"methods":[{"name":"clubs.join","params":[
              {"name":"code","required":false,"schema":{"type":["string","null"],"maxLength":20}},
              {"name":"kind","required":false,"schema":{"type":"string","enum":["a","b"]}}],
             "result":{"name":"result","schema":{"$ref":"#/components/schemas/Club"}},
             "errors":[{"code":-7,"message":"","data":{"errors":["full"]}}]}],
             "components":{"schemas":{"Club":{"type":"object",
              "properties":{"id":{"type":"integer"},"club":{"$ref":"#/components/schemas/Club"}},"required":["id"]}}}}
            """
        #expect(contract.contains(before))
        let changed = try JSONValue(parsing: contract.replacingOccurrences(of: before, with: after))
        let lines = BreakingChanges(from: try JSONValue(parsing: contract), to: changed).lines
        #expect(lines == (line.map { [$0] } ?? []))
    }
}
