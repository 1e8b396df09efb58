import FoundationEssentials
import PosternTesting
import Testing

@testable import PosternSchema

/// The version number in the file VERSION, and the files that repeat it.
struct ProgramVersionTests {
    @Test(arguments: ["1.2.3\n", "0.10.0\n"])
    func readsAVersion(line: String) throws {
        #expect(try ProgramVersion(line: line, root: ".").text + "\n" == line)
    }

    @Test(arguments: [
        "", "\n", "1.2.3", "1.2\n", "1.2.3.4\n", "1.2.x\n", "1.02.3\n", "1.-2.3\n", "1..3\n", "v1.2.3\n", "1.2.3\n\n",
    ])
    func refusesOtherTexts(line: String) {
        #expect(throws: SchemaError.self) { try ProgramVersion(line: line, root: ".") }
    }

    @Test func everyFileGetsANewVersion() throws {
        let version = try ProgramVersion(line: "98.76.54\n", root: PosternProcess.repository.path)
        let files = try version.files()
        #expect(files.map(\.0).contains("clients/node/package.json"))
        for (path, text) in files {
            let count = text.components(separatedBy: "98.76.54").count - 1
            #expect(path == "docs/installing.md" ? count > 1 : count == 1, "\(path)")
        }
    }

    @Test func aPageHasNoOtherVersion() {
        let text = "postern_0.1.0_amd64.deb, \"jsonrpc\":\"2.0\", a-0.1.0.tgz, postern:0.1.0"
        let expected = "postern_2.0.10_amd64.deb, \"jsonrpc\":\"2.0\", a-2.0.10.tgz, postern:2.0.10"
        #expect(ProgramVersion.replaced(in: text, with: "2.0.10") == expected)
    }

    @Test func onlyTheVersionChanges() throws {
        let place = ProgramVersion.Place(path: "package.json", line: "  \"version\": ", lead: "\"")
        let text = "{\n  \"name\": \"a\",\n  \"version\": \"0.1.0\",\n  \"needs\": { \"version\": \"0.1.0\" }\n}\n"
        let expected = "{\n  \"name\": \"a\",\n  \"version\": \"2.0.10\",\n  \"needs\": { \"version\": \"0.1.0\" }\n}\n"
        #expect(try place.replaced(in: text, with: "2.0.10") == expected)
        #expect(throws: SchemaError.self) { try place.replaced(in: "{}\n", with: "2.0.10") }
        #expect(throws: SchemaError.self) { try place.replaced(in: "  \"version\": 1,\n\"a\"", with: "2.0.10") }
    }
}
