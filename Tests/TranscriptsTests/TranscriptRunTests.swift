import JSON
import Testing
import Transcripts

/// What a run keeps of messages and puts into later ones.
struct TranscriptRunTests {
    private func steps(_ lines: String...) throws -> [TranscriptStep] {
        let text = ([#"{"transcript": "T"}"#] + lines).joined(separator: "\n")
        return try Transcript(parsing: Array(text.utf8), name: "t").steps
    }

    /// The value that a place finds in a message.
    private func found(_ place: String, in message: String) throws -> JSONValue? {
        let steps = try steps(#"{"expect": "<any>", "keep": {"a": \#(place)}}"#, #"{"send": "{{a}}"}"#)
        var run = TranscriptRun()
        do {
            try run.check(JSONValue(parsing: message), of: steps[0])
        } catch let failure as TranscriptRun.Failure {
            #expect(failure.reason.hasPrefix("nothing to keep as a at "))
            #expect(throws: TranscriptRun.Failure("{{a}} has no value, because an earlier step failed")) {
                try run.message(of: steps[1])
            }
            return nil
        }
        return try run.message(of: steps[1])
    }

    @Test(arguments: [
        (#""/result/id""#, #"{"result": {"id": 7}}"#, "7"),
        (#""""#, "[1]", "[1]"),
        (#""/a/1/b""#, #"{"a": [0, {"b": null}]}"#, "null"),
        (#""/a~1b~0c""#, #"{"a/b~c": "x"}"#, #""x""#),
        (#""/""#, #"{"": 1}"#, "1"),
        (
            #"{"at": "/t", "match": "[?&](?:code|token)=(\\S+)"}"#, #"{"t": "Go to http://h/?a=1&code=1-ab\r\nnow"}"#,
            #""1-ab""#
        ),
        (#"{"at": "/t", "match": "\n\n([0-9a-f]{4,})\n"}"#, #"{"t": "a\n\nbadc0de\n"}"#, #""badc0de""#),
    ])
    func keepsTheValueAtAPlace(place: String, message: String, value: String) throws {
        #expect(try found(place, in: message)?.text == value)
    }

    @Test(arguments: [
        (#""/result/id""#, #"{"result": {}}"#),
        (#""/a/2""#, #"{"a": [0, 1]}"#),
        (#""/a/-1""#, #"{"a": [0, 1]}"#),
        (#""/a/b""#, #"{"a": 1}"#),
        (#"{"at": "/t", "match": "code=(\\S+)"}"#, #"{"t": "no link"}"#),
        (#"{"at": "/t", "match": "code"}"#, #"{"t": "code"}"#),
        (#"{"at": "/t", "match": "(1)"}"#, #"{"t": 1}"#),
    ])
    func findsNothingElsewhere(place: String, message: String) throws {
        #expect(try found(place, in: message) == nil)
    }

    @Test func putsKeptValuesIntoLaterMessages() throws {
        let steps = try steps(
            #"{"send": 1, "expect": "<any>", "keep": {"id": "/id", "token": "/token"}}"#,
            #"{"send": {"i": "{{id}}", "t": "{{token}}", "both": "{{id}}/{{token}}?}}"}, "expect": ["{{token}}"]}"#
        )
        var run = TranscriptRun()
        try run.check(["id": 7, "token": "{{id}}"], of: steps[0])
        // A kept value is not searched for placeholders.
        let sent: JSONValue = ["i": 7, "t": "{{id}}", "both": "7/{{id}}?}}"]
        #expect(try run.message(of: steps[1]) == sent)
        try run.check(["{{id}}"], of: steps[1])
        let difference = try #require(Difference(between: ["x"], and: ["{{id}}"]))
        #expect(throws: TranscriptRun.Failure("[0] differs", difference: difference)) {
            try run.check(["x"], of: steps[1])
        }
    }

    /// A kept text such as `<string>` once matched everything.
    @Test(arguments: ["{{a}}", "<{{b}}>"])
    func aKeptValueIsNoKind(_ text: String) throws {
        let steps = try steps(
            #"{"expect": {"<any>": "<any>"}, "keep": {"a": "/x", "b": "/y"}}"#,
            #"{"expect": {"id": "\#(text)"}}"#
        )
        var run = TranscriptRun()
        try run.check(["x": "<string>", "y": "any"], of: steps[0])
        #expect(throws: TranscriptRun.Failure.self) { try run.check(["id": "other"], of: steps[1]) }
    }

    /// A repeated step keeps the values of the last message.
    @Test func keepsTheValuesOfAWrongMessageToo() throws {
        let steps = try steps(#"{"expect": {"id": 1}, "keep": {"id": "/id"}}"#, #"{"send": "{{id}}"}"#)
        var run = TranscriptRun()
        #expect(throws: TranscriptRun.Failure.self) { try run.check(["id": 2], of: steps[0]) }
        #expect(try run.message(of: steps[1]) == 2)
    }
}
