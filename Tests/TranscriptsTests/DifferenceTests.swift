import JSON
import Testing
import Transcripts

/// The first difference between a message and what a transcript expects.
struct DifferenceTests {
    @Test(arguments: [
        (#"{"a": 1, "b": [true, null]}"#, #"{"b": [true, null], "a": 1}"#),
        (#"{"a": {"b": 1}}"#, #"{"a": "<any>"}"#),
        ("null", #""<any>""#),
        (#""""#, #""<string>""#),
        ("-9223372036854775808", #""<integer>""#),
        (#""2016-02-24T22:07:52.371513Z""#, #""<time>""#),
        (#""6b1a9cf4-0a1b-4c2d-9e3f-0123456789ab""#, #""<uuid>""#),
        (#""0af9""#, #""<hex 4>""#),
        (#"{"a": 1, "b": 2, "c": 3}"#, #"{"a": 1, "<any>": "<integer>"}"#),
        (#"{"a": 1}"#, #"{"a": 1, "<any>": "<any>"}"#),
        (#"[{"a": 1, "b": 2}]"#, #"[{"<any>": "<any>"}]"#),
    ])
    func matches(message: String, expected: String) throws {
        #expect(try Difference(between: JSONValue(parsing: message), and: JSONValue(parsing: expected)) == nil)
    }

    /// A message, what is expected, the path, and what is expected and got there.
    private typealias Case = (message: String, expected: String, path: String, wanted: String?, got: String?)

    private static let differences: [Case] = [
        ("1", "2", "", "2", "1"),
        ("1", "1.0", "", "1.0", "1"),
        ("null", "false", "", "false", "null"),
        (#""1""#, "1", "", "1", #""1""#),
        // An accent as a character of its own, which is another password.
        (#""\u00e9""#, #""e\u0301""#, "", "\"e\u{301}\"", "\"\u{e9}\""),
        (#"{"\u00e9": 1}"#, #"{"e\u0301": 1}"#, "e\u{301}", "1", nil),
        ("1", #""1""#, "", #""1""#, "1"),
        (#"{"a": {"b": [1, {"c": 2}]}}"#, #"{"a": {"b": [1, {"c": 3}]}}"#, "a.b[1].c", "3", "2"),
        (#"{"a": 1}"#, #"{"a": 1, "b": null}"#, "b", "null", nil),
        (#"{"r": {"a": 1, "b": null}}"#, #"{"r": {"a": 1}}"#, "r.b", nil, "null"),
        ("[1, 2]", "[1]", "[1]", nil, "2"),
        ("[1]", "[1, 2]", "[1]", "2", nil),
        (#"{}"#, "[]", "", "[]", "{}"),
        (#"{"a": 1, "a": 1}"#, #"{"a": 1}"#, "a", nil, "1"),
        ("1.5", #""<integer>""#, "", #""<integer>""#, "1.5"),
        ("9223372036854775808", #""<integer>""#, "", #""<integer>""#, "9223372036854775808"),
        ("1", #""<string>""#, "", #""<string>""#, "1"),
        (#""2016-02-24T22:07:52Z""#, #""<time>""#, "", #""<time>""#, #""2016-02-24T22:07:52Z""#),
        (
            #""6b1a9cf4-0a1b-1c2d-9e3f-0123456789ab""#, #""<uuid>""#, "", #""<uuid>""#,
            #""6b1a9cf4-0a1b-1c2d-9e3f-0123456789ab""#
        ),
        (#""0AF9""#, #""<hex 4>""#, "", #""<hex 4>""#, #""0AF9""#),
        (#""0af""#, #""<hex 4>""#, "", #""<hex 4>""#, #""0af""#),
        // An unknown kind is text.
        (#""x""#, #""<strin>""#, "", #""<strin>""#, #""x""#),
        (#"{"a": 1, "b": "x"}"#, #"{"a": 1, "<any>": "<integer>"}"#, "b", #""<integer>""#, #""x""#),
        (#"{"b": 1}"#, #"{"a": 1, "<any>": "<any>"}"#, "a", "1", nil),
    ]

    @Test(arguments: differences)
    func isFoundAtItsPath(message: String, expected: String, path: String, wanted: String?, got: String?) throws {
        let difference = try #require(
            try Difference(between: JSONValue(parsing: message), and: JSONValue(parsing: expected))
        )
        #expect(difference.path == path && difference.expected?.text == wanted && difference.got?.text == got)
    }
}
