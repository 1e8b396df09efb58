import Foundation
import JSON
import PosternTesting
import Testing

/// Paths that are not UTF-8. Once, they all became the same path, and the same store.
struct PathBytesTests {
    private let folder = TemporaryDirectory()

    /// Runs a command in the folder. `$1` and `$2` in `words` are names that differ in one byte that is not UTF-8.
    private func run(_ words: String, input: String = "", variables: String = "") throws -> PosternProcess.Outcome {
        let names = #"set -- "$@" "$(printf 's\351')" "$(printf 's\352')"; program=$1; shift"#
        return try PosternProcess.run(
            [],
            input: input,
            shell: "\(names); env \(variables) \"$program\" \(words)",
            folder: URL(fileURLWithPath: folder.path)
        )
    }

    private func register(_ number: Int) -> String {
        let user: JSONValue = ["email": .string("c\(number)@b.co"), "password": "a long password", "role": "user"]
        let request: JSONValue = [
            "jsonrpc": "2.0", "id": .number("\(number)"), "method": "care.user.register", "params": user,
        ]
        return request.text + "\n"
    }

    private func users(_ words: String, variables: String = "") throws -> String? {
        let lines = try run("stats \(words)", variables: variables).output.split(separator: "\n")
        return lines.first { $0.hasPrefix("care.users: ") }.map { String($0.dropFirst("care.users: ".count)) }
    }

    @Test func distinguishesStoresByFlagAndByVariable() throws {
        #expect(try run(#"--data "$1""#, input: register(1)).output.contains("result"))
        #expect(try run("", input: register(2) + register(3), variables: #"POSTERN_DATA="$2""#).errors == "")
        #expect(try users(#"--data "$1""#) == "1")
        #expect(try users(#""--data=$2""#) == "2")
        #expect(try users("", variables: #"POSTERN_DATA="$1""#) == "1")
        #expect(try run(#"stats --data "$1""#).output.contains(#" in s\xE9"#))
        #expect(try run(#"merge --data "$1""#).status == 0)
        #expect(try run(#"check --data "$1""#).output.hasPrefix("sound"))
        let missing = try run(#"check --data "$1/a""#)
        #expect(missing.status == 1 && missing.errors.contains(#"there is no store at s\xE9/a"#), "\(missing.errors)")
    }

    @Test func takesSuchPathsAsArguments() throws {
        #expect(try run("--data store", input: register(1)).errors == "")
        for command in ["backup", "salvage"] {
            for name in ["$1", "$2"] {
                let outcome = try run(#"\#(command) "\#(name)-\#(command)" --data store"#)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try users(#"--data "\#(name)-\#(command)""#) == "1")
            }
            let again = try run(#"\#(command) "$1-\#(command)" --data store"#)
            #expect(again.status == 1 && again.errors.contains(#"s\xE9-\#(command)"#), "\(again.errors)")
        }
        #expect(try run(#"export "$1.jsonl" --data store"#).status == 0)
        #expect(try run(#"import "$2.jsonl" --data "$2""#).errors.contains(#"s\xEA.jsonl: No such file"#))
        let imported = try run(#"import "$1.jsonl" --data "$2""#)
        #expect(imported.output.contains(#"into s\xEA"#), "\(imported.errors)")
        #expect(try users(#"--data "$2""#) == "1")
    }

    @Test func takesSuchPathsForMail() throws {
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let params: JSONValue = ["user": person, "password": "a long password"]
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "operators.register", "params": params]
        try #require(try run(#"version; mkdir "$1""#).status == 0)
        let template = #"printf 'Subject: Ours\n\n{{code}}\n' > "$1/operators-confirmation.txt""#
        try #require(try run("version; \(template)").status == 0)
        let flags = #"--data store --mail "directory:$2" --mail-templates "$1""#
        let outcome = try run(flags, input: request.text + "\n")
        #expect(outcome.errors == "", "\(outcome.errors)")
        #expect(try run(#"version; grep -q '^Subject: Ours' "$2"/*.eml"#).status == 0)
        let missing = try run(#"--data store --mail-templates "$2/none""#)
        #expect(missing.errors.contains(#"s\xEA/none: No such file"#), "\(missing.errors)")
        let command = try run(
            #"--data other --mail "command:cat > $1.eml""#,
            input: request.text + "\n"
        )
        #expect(command.errors == "", "\(command.errors)")
        #expect(try run(#"version; test -s "$1.eml" -a ! -e "$2.eml""#).status == 0)
    }

    /// An argument that is not UTF-8 was once altered silently.
    @Test func refusesOtherArgumentsThatAreNotUTF8() throws {
        let call = try run(#"call "$1" --data :memory:"#)
        #expect(call.status == 64 && call.errors.contains(#"s\xE9 is not UTF-8"#), "\(call.errors)")
        let flag = try run(#"--public-url "http://$1" --data :memory:"#)
        #expect(flag.status == 64 && flag.errors.contains(#"not http://s\xE9"#), "\(flag.errors)")
        let unknown = try run(#""$1""#)
        #expect(unknown.status == 64 && unknown.errors.contains(#"unknown command s\xE9"#), "\(unknown.errors)")
    }
}
