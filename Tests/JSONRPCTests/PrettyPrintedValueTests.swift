import Foundation
import JSON
import Testing

@testable import JSONRPC

/// Values on several lines, where a message is one line. A row is a stream; `!` marks the lines that get an error and `=`
/// those that are carried out, all others get no answer.
struct PrettyPrintedValueTests {
    private static let good = #"={"jsonrpc":"2.0","method":"update","id":1}"#

    private static let streams: [[String]] = [
        // As jq, JSON.stringify and json.dumps print it, with other requests around.
        [good, "!{", #"  "jsonrpc": "2.0","#, #"  "id": 1"#, "}", good],
        [
            good, "!{", "\t\"params\": {", "\t\t\"a\": [", "\t\t\t1,", "\t\t\t{}", "\t\t],", "\t\t\"b\": \"}\"", "\t},",
            "\t\"id\": 1", "}", good,
        ],
        ["!{", #""jsonrpc": "2.0","#, #""params": {"#, #""a": "b""#, "},", #""id": 1"#, "}", good],
        [#"!{ "jsonrpc": "2.0","#, #"  "id": 1 }"#, good],
        ["!{", #"  "id": 1"#, "}", "!{", #"  "id": 2"#, "}", good],
        ["!  {", #"    "id": 1"#, "  }", good, "!  {", #"    "id": 2"#, "  }", good],
        ["!{", #"  "params":"#, "  {", #"    "a": 1"#, "  }", "}", good],
        ["![", "  {", #"    "id": 1"#, "  },", "  {", #"    "id": 2"#, "  }", "]", good],
        // What is no JSON inside is the value's all the same, up to the bracket that closes it.
        ["!{", #"  "id": 1,"#, "}", good],
        ["!{", "  jsonrpc: '2.0',", "  id: 1", "}", good, "!}"],
        ["!{", "  // a comment", #"  "id": {"#, "  }", "}", "!}"],
        // A line that is a whole message is one, whatever stands before it.
        ["!{", good, good, "!x", good],
        ["!{", "=  " + good.dropFirst(), good],
        ["![", good, good],
        ["!{", #"=[{"jsonrpc":"2.0","method":"update","id":1}]"#, good],
        ["!{", #"!{"jsonrpc":"1.0","method":"update","id":1}"#, good],
        [#"!{"jsonrpc":"2.0","#, good, good],
        [#"!{"jsonrpc":"2.0","params":"#, good, good],
        // Of a batch with a message a line, the last has no comma behind it.
        ["![", #"  {"jsonrpc":"2.0","method":"update","id":1},"#, "=  " + good.dropFirst(), "]", good],
        // Nor does the start of a message that was cut off take the answer from another that is none.
        ["!{", "!{", #"!{"jsonrpc":"2.0","#, #"!{"jsonrpc":"2.0""#, good],
        [#"!{"jsonrpc":"2.0","params":"#, #"!{"jsonrpc":"2.0","params":["#, "![]", "![1", "!7", "!hello", good],
        [#"!{"jsonrpc":"2.0","id":"cut"#, "!}", good],
        ["!{", #"  "id": 1"#, "!} x", good],
        ["!" + String(repeating: "[", count: 128), "!" + String(repeating: "[", count: 129), "!]", good],
    ]

    @Test(arguments: streams.indices)
    func answersOnceForTheWhole(_ row: Int) {
        let stream = Self.streams[row]
        var text = ""
        var expected = ""
        for line in stream {
            let isMarked = line.hasPrefix("!") || line.hasPrefix("=")
            if isMarked { expected += line.prefix(1) }
            text += (isMarked ? line.dropFirst() : line[...]) + "\n"
        }
        for end in ["\n", "\r\n"] {
            let input = text.replacing("\n", with: end)
            #expect(marks(Exchange().lines(for: input)) == expected, "\(stream)")
            #expect(marks(Exchange().lines(for: input.utf8.map { [$0] })) == expected, "\(stream)")
        }
    }

    private func marks(_ replies: [String]) -> String {
        replies.map { $0.contains("\"error\"") ? "!" : "=" }.joined()
    }

    /// Each line is looked at once or twice, however many there are.
    @Test func takesManyLinesInTheirOrder() {
        let rows = String(repeating: "  1,\n", count: 200_000)
        let lines = Exchange().lines(for: "[\n" + rows + "  1\n]\n" + Self.good.dropFirst() + "\n")
        #expect(marks(lines) == "!=")
    }

    @Test func leavesHeadersAlone() {
        let frame = { (text: String) in "Content-Length: \(text.utf8.count)\r\n\r\n\(text)" }
        let output = Exchange(framing: .header).text(
            for: [Array((frame("{\n") + frame("}") + frame(String(Self.good.dropFirst()))).utf8)]
        )
        #expect(output.components(separatedBy: "\"error\"").count == 3)
        #expect(output.contains("\"result\""))
    }
}
