import JSON
import Testing
import Transcripts

/// Which texts are transcripts. A fault is an error with its line: a transcript that is played in part tests less than
/// its author believes.
struct TranscriptReaderTests {
    private static let head = #"{"transcript": "T"}"#
    private static let step = #"{"send": {"method": "m"}, "expect": {"id": 1}, "keep": {"a": "/id"}}"#

    private func transcript(_ lines: String...) throws(TranscriptError) -> Transcript {
        try Transcript(parsing: Array(lines.joined(separator: "\n").utf8), name: "t.jsonl")
    }

    @Test func readsHeadNotesAndSteps() throws {
        let transcript = try transcript(
            #"{"transcript": "Sign in", "arguments": ["--admin", "--notices=off"]}"#,
            #"{"note": "First."}"#,
            "",
            "\(Self.step)\r",
            #"{"send": {"params": ["{{a}}", "x{{a}}"]}, "repeat": 3}"#,
            #"{"expect": {"method": "event"}}"#,
            ""
        )
        #expect(transcript.title == "Sign in" && transcript.arguments == ["--admin", "--notices=off"])
        #expect(transcript.steps.map(\.line) == [4, 5, 6] && transcript.steps.map(\.count) == [1, 3, 1])
        #expect(transcript.steps.map(\.method) == ["m", nil, nil])
        #expect(transcript.steps[1].expected == nil && transcript.steps[2].sent == nil)
    }

    private static let faults: [(lines: [String], line: Int, reason: String)] = [
        ([], 1, "the file is empty"),
        (["", ""], 1, "the file is empty"),
        ([head], 1, "a transcript without steps tests nothing"),
        ([head, #"{"note": "n"}"#, ""], 3, "a transcript without steps tests nothing"),
        ([step], 1, "the first line must be"),
        ([#"{"transcript": 1}"#], 1, "the first line must be"),
        ([#"{"transcript": "T", "argument": []}"#], 1, "unknown property argument (did you mean arguments?)"),
        ([#"{"transcript": "T", "arguments": [1]}"#], 1, "arguments must be a list of flags"),
        ([#"{"transcript": "T", "arguments": "--admin"}"#], 1, "arguments must be a list of flags"),
        ([head, "{"], 2, "not JSON: the text ends where"),
        ([head, "", #"{"send": {}} x"#], 3, "not JSON: expected the end of the message, at byte 14"),
        ([head, "[]"], 2, "expected a JSON object"),
        ([head, #"{"send": {}, "expects": {}}"#], 2, "unknown property expects (did you mean expect?)"),
        ([head, #"{"send": {}, "send": {}}"#], 2, "send is given twice"),
        ([head, #"{"send": {"x": "{{ id }}"}}"#], 2, #"{{ must begin a placeholder like {{name}}, in "{{ id }}""#),
        ([head, #"{"send": "{{"}"#], 2, "{{ must begin a placeholder"),
        ([head, #"{"send": "}}{{}}"}"#], 2, "{{ must begin a placeholder"),
        ([head, #"{"send": "{{a-b}}"}"#], 2, #"{{ must begin a placeholder like {{name}}, in "{{a-b}}""#),
        ([head, #"{"expect": [{"<any>": 1, "<any>": 2}]}"#], 2, "<any> is given twice"),
        ([head, #"{"note": "n", "send": {}}"#], 2, "unknown property send"),
        ([head, #"{"note": 1}"#], 2, "note must be a string"),
        ([head, #"{"repeat": 2}"#], 2, "a step needs send or expect"),
        ([head, #"{"send": {}, "repeat": 0}"#], 2, "repeat must be a positive integer"),
        ([head, #"{"send": {}, "repeat": "2"}"#], 2, "repeat must be a positive integer"),
        ([head, #"{"send": {}, "keep": {"a": "/id"}}"#], 2, "keep needs expect"),
        ([head, #"{"expect": {}, "keep": {}}"#], 2, "keep must be an object of names and places"),
        ([head, #"{"expect": {}, "keep": {"a-b": "/id"}}"#], 2, "a kept name has only letters"),
        ([head, #"{"expect": {}, "keep": {"a": "id"}}"#], 2, "keep a: a pointer begins with /"),
        ([head, #"{"expect": {}, "keep": {"a": 1}}"#], 2, "keep a: expected a pointer or"),
        ([head, #"{"expect": {}, "keep": {"a": {"at": "/id", "matches": "x"}}}"#], 2, "keep a: expected a pointer or"),
        ([head, #"{"expect": {}, "keep": {"a": {"match": "x"}}}"#], 2, "keep a: expected a pointer or"),
        ([head, #"{"expect": {}, "keep": {"a": {"at": "/id", "match": "("}}}"#], 2, "keep a: match is no regular"),
        ([head, #"{"send": {"x": ["{{a}}"]}}"#], 2, "no earlier step keeps {{a}}"),
        ([head, #"{"send": {}, "expect": {"x": "{{a}}"}, "keep": {"a": "/x"}}"#], 2, "no earlier step keeps {{a}}"),
        ([head, step, #"{"send": {}, "expect": {"x": "-{{b}}"}}"#], 3, "no earlier step keeps {{b}}"),
    ]

    @Test(arguments: faults)
    func refusesAFaultWithItsLine(lines: [String], line: Int, reason: String) throws {
        let error = try #require(throws: TranscriptError.self) {
            try Transcript(parsing: Array(lines.joined(separator: "\n").utf8), name: "t.jsonl")
        }
        #expect(error.line == line && error.reason.contains(reason), "\(error)")
        #expect("\(error)".hasPrefix("t.jsonl:\(line): "))
    }

    /// Braces that cannot be a misspelt placeholder are text.
    @Test(arguments: ["{", "}}", "{ {a}}", "{a}"])
    func takesOtherBracesAsText(text: String) throws {
        let transcript = try transcript(Self.head, #"{"send": "\#(text)"}"#)
        #expect(try TranscriptRun().message(of: transcript.steps[0]) == .string(text))
    }
}
