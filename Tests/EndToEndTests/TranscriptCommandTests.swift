import Foundation
import JSON
import PosternTesting
import Testing

/// `postern test`: each way in which a server can differ from a transcript gives `not ok` and exit code 1.
struct TranscriptCommandTests {
    private let folder = TemporaryDirectory()

    private static let head = #"{"transcript": "T"}"#

    private static func request(_ id: Int, _ method: String = "system.info") -> String {
        #"{"jsonrpc": "2.0", "id": \#(id), "method": "\#(method)"}"#
    }

    private static func step(_ id: Int, expecting expected: String = #"{"name": "postern", "<any>": "<any>"}"#)
        -> String
    {
        #"{"send": \#(request(id)), "expect": {"jsonrpc": "2.0", "id": \#(id), "result": \#(expected)}}"#
    }

    private func file(_ lines: [String], name: String = "t.jsonl") throws -> String {
        let path = folder.path(name)
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func test(_ lines: String..., flags: [String] = []) throws -> PosternProcess.Outcome {
        try PosternProcess.run(["test", try file(lines)] + flags)
    }

    /// The lines of TAP without indentation.
    private func results(_ outcome: PosternProcess.Outcome) -> [Substring] {
        outcome.output.split(separator: "\n").map { $0.drop { $0 == " " } }
    }

    @Test func printsAPlanAndATestPointForEachStep() throws {
        let outcome = try test(Self.head, Self.step(1), Self.step(2))
        let path = folder.path("t.jsonl")
        let expected = """
            TAP version 14
            1..1
            # Subtest: \(path)
                1..3
                ok 1 - line 2: system.info
                ok 2 - line 3: system.info
                ok 3 - end
            ok 1 - \(path)
            """
        #expect(outcome.output == expected && outcome.status == 0 && outcome.errors == "")
    }

    @Test func aWrongValueIsShownWithItsPath() throws {
        let outcome = try test(
            Self.head,
            Self.step(1),
            Self.step(2, expecting: #"{"name": "poster", "<any>": "<any>"}"#)
        )
        #expect(outcome.status == 1 && outcome.errors == "postern: 1 of 3 steps failed\n")
        let lines = results(outcome)
        let start = try #require(lines.firstIndex(of: "not ok 2 - line 3: system.info"))
        #expect(lines[start + 1] == "---" && lines[start + 2] == #"message: "result.name differs""#)
        #expect(
            lines[start + 3] == "file: \(JSONValue.string(folder.path("t.jsonl")).text)"
                && lines[start + 4] == "line: 3"
        )
        #expect(lines[start + 5] == #"sent: {"jsonrpc":"2.0","id":2,"method":"system.info"}"#)
        #expect(lines[start + 6].hasPrefix(#"expected: {"jsonrpc":"2.0","id":2,"result":{"name":"poster","#))
        #expect(lines[start + 7].hasPrefix(#"got: {"jsonrpc":"2.0","id":2,"result":{"name":"postern","#))
        #expect(lines[start + 8] == #"difference: {"path":"result.name","expected":"poster","got":"postern"}"#)
        #expect(
            Array(lines[(start + 9)...]) == ["...", "ok 3 - end", Substring("not ok 1 - \(folder.path("t.jsonl"))")]
        )
    }

    /// A notification gets no reply. The steps after a missing message are not played, because it could still come.
    @Test func aMissingReplyFails() throws {
        let notification = #"{"send": {"jsonrpc": "2.0", "method": "system.info"}, "expect": "<any>"}"#
        let outcome = try test(Self.head, notification, Self.step(1), flags: ["--reply-timeout", "1"])
        let lines = results(outcome)
        #expect(outcome.status == 1 && lines.contains("not ok 1 - line 2: system.info"))
        #expect(lines.contains(#"message: "no message within 1 s""#))
        #expect(lines.contains("not ok 2 - line 3: system.info") && lines.contains("not ok 3 - end"))
    }

    @Test func anotherReplyThanExpectedFails() throws {
        let unasked = #"{"send": \#(Self.request(1))}"#
        let outcome = try test(Self.head, unasked, Self.step(2))
        #expect(outcome.status == 1)
        #expect(results(outcome).contains(#"difference: {"path":"id","expected":2,"got":1}"#))
        #expect(results(outcome).contains("not ok 3 - end"))
    }

    @Test func aFurtherReplyFails() throws {
        let outcome = try test(Self.head, Self.step(1), #"{"send": \#(Self.request(2))}"#)
        let lines = results(outcome)
        #expect(outcome.status == 1 && lines.contains("not ok 3 - end"))
        #expect(lines.contains(#"message: "messages that no step expects""#))
        #expect(lines.contains { $0.hasPrefix(#"got: ["{\"jsonrpc\":\"2.0\",\"id\":2,"#) })
    }

    @Test(arguments: [[1, 2], [2, 1]])
    func repliesOutOfOrderFail(order: [Int]) throws {
        func expecting(_ id: Int) -> String { #"{"expect": {"id": \#(id), "<any>": "<any>"}}"# }
        let sends = [1, 2].map { #"{"send": \#(Self.request($0))}"# }
        let outcome = try test(Self.head, sends[0], sends[1], expecting(order[0]), expecting(order[1]))
        let failed = results(outcome).filter { $0.hasPrefix("not ok") }.count
        // Both steps and the file.
        #expect(outcome.status == (order == [1, 2] ? 0 : 1) && failed == (order == [1, 2] ? 0 : 3))
    }

    /// A value that cannot be kept fails the step, and those that need it.
    @Test func aValueThatIsNotThereFails() throws {
        let keep = #"{"send": \#(Self.request(1)), "expect": "<any>", "keep": {"id": "/result/id"}}"#
        let outcome = try test(Self.head, keep, #"{"send": "{{id}}", "expect": "<any>"}"#)
        let lines = results(outcome)
        #expect(outcome.status == 1 && lines.contains(#"message: "nothing to keep as id at /result/id""#))
        #expect(lines.contains(#"message: "{{id}} has no value, because an earlier step failed""#))
    }

    @Test func aServerThatIsKilledEndsTheTest() throws {
        let many = #"{"send": \#(Self.request(1)), "expect": "<any>", "repeat": 100000000}"#
        let path = try file([Self.head, many])
        let process = try PosternProcess(["test", path])
        let children = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
        var child: Int32?
        for _ in 0..<500 where child == nil {
            usleep(10_000)
            child = Int32(try String(contentsOfFile: children, encoding: .utf8).filter(\.isNumber))
        }
        kill(try #require(child), SIGKILL)
        let output = process.finish()
        #expect(output.contains("\n    not ok 1 - line 2: system.info, 100000000 times\n"))
        #expect(output.hasSuffix("\nBail out! \(path):2: the server ended with signal 9"))
        #expect(
            process.status == 1 && process.errorText.hasSuffix("postern: \(path):2: the server ended with signal 9\n")
        )
    }

    @Test func aServerThatDoesNotStartEndsTheTest() throws {
        let outcome = try test(Self.head, Self.step(1), flags: ["--data", "/dev/null/store"])
        #expect(outcome.status == 1 && outcome.output.hasSuffix(":2: the server ended with exit code 1"))
        #expect(outcome.errors.contains("/dev/null/store"))
    }

    @Test func aFaultOfATranscriptIsAnErrorBeforeAnyIsPlayed() throws {
        let (good, bad) = (try file([Self.head, Self.step(1)], name: "a"), try file([Self.head, "{}"], name: "b"))
        let outcome = try PosternProcess.run(["test", good, bad])
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors == "postern: \(bad):2: a step needs send or expect\n")
        let missing = try PosternProcess.run(["test", good, folder.path("none")])
        #expect(
            missing.status == 1 && missing.output == "" && missing.errors.hasSuffix("none: No such file or directory\n")
        )
    }

    @Test(arguments: [
        ("[\"--admn\"]", "unknown flag --admn"),
        ("[\"call\", \"system.info\"]", "only flags"),
        ("[\"--help\"]", "only flags"),
        ("[\"--role=admin\"]", "--role is not a flag of postern test"),
        ("[\"--password-length=x\"]", "--password-length takes"),
        ("[\"--framing=header\"]", "--framing line"),
        ("[\"--reply-timeout=5\"]", "--reply-timeout is for the command line"),
    ])
    func wrongFlagsOfATranscriptAreAnError(flags: String, message: String) throws {
        let outcome = try test(#"{"transcript": "T", "arguments": \#(flags)}"#, Self.step(1))
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("postern: \(folder.path("t.jsonl")):1: arguments: "))
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func wrongCommandLinesAreUsageErrors() throws {
        for arguments in [["test"], ["test", "t", "--reply-timeout", "0"], ["test", "t", "--seed", "1"]] {
            #expect(try PosternProcess.run(arguments).status == 64)
        }
        #expect(try PosternProcess.run(["serve", "--reply-timeout", "1"]).status == 64)
    }

    @Test func readsATranscriptFromStandardInput() throws {
        let outcome = try PosternProcess.run(["test", "-"], input: [Self.head, Self.step(1)].joined(separator: "\n"))
        #expect(outcome.status == 0 && outcome.output.hasSuffix("\nok 1 - stdin"))
    }

    /// Each transcript has a store of its own. The environment of a server beside it does not apply: its store must not
    /// be changed.
    @Test func playsAgainstANewStoreInMemory() throws {
        let register =
            #"{"jsonrpc": "2.0", "id": 1, "method": "care.user.register", "params": {"email": "a@b.co", "password": "p", "role": "user"}}"#
        let lines = [Self.head, #"{"send": \#(register), "expect": {"id": 1, "result": "<any>", "<any>": "<any>"}}"#]
        let (path, store) = (try file(lines), folder.path("store"))
        let environment = ["POSTERN_DATA": store, "POSTERN_STRICT_PARAMS": "x", "POSTERN_ADMIN": "1"]
        let outcome = try PosternProcess.run(["test", path, path], environment: environment)
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: store))
        // With --data, the second run finds the account.
        #expect(try PosternProcess.run(["test", path, "--data", store]).status == 0)
        let second = try PosternProcess.run(["test", path, "--data", store])
        #expect(second.status == 1 && second.output.contains("user_already_exists"))
    }

    /// A flag of the command line overrides that of the transcript.
    @Test func takesFlagsOfTranscriptAndCommandLine() throws {
        let head = #"{"transcript": "T", "arguments": ["--clock=2020-01-01T00:00:00.000000Z", "--seed=1", "--admin"]}"#
        func step(_ admin: Bool, _ deterministic: Bool) -> String {
            Self.step(1, expecting: #"{"admin": \#(admin), "deterministic": \#(deterministic), "<any>": "<any>"}"#)
        }
        #expect(try test(head, step(true, true)).status == 0)
        #expect(try test(head, step(false, true), flags: ["--admin=0"]).status == 0)
        #expect(try test(Self.head, step(true, false), flags: ["--admin"]).status == 0)
        #expect(try test(Self.head, step(false, false)).status == 0)
    }

    /// A step without `send` waits for what the server sends on its own, and one without `expect` answers it.
    @Test func playsEventsAndDeliveries() throws {
        let register =
            #"{"jsonrpc": "2.0", "id": 1, "method": "care.user.register", "params": {"email": "a@b.co", "password": "p", "role": "user"}}"#
        let outcome = try test(
            #"{"transcript": "T", "arguments": ["--mail=host"]}"#,
            #"{"send": \#(register), "expect": {"id": 1, "result": "<any>", "<any>": "<any>"}}"#,
            #"{"expect": {"jsonrpc": "2.0", "id": "<string>", "method": "mail.deliver", "params": "<any>"}, "keep": {"mail": "/id"}}"#,
            #"{"send": {"jsonrpc": "2.0", "id": "{{mail}}", "result": null}}"#,
            #"{"send": \#(Self.request(2)), "expect": {"id": 2, "<any>": "<any>"}}"#
        )
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    /// Requests that the server does not read while its replies are not read must not stop both.
    @Test func sendsMoreThanPipesHold() throws {
        let sends = #"{"send": \#(Self.request(1)), "repeat": 20000}"#
        let outcome = try test(Self.head, sends, #"{"expect": {"id": 1, "<any>": "<any>"}, "repeat": 20000}"#)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
