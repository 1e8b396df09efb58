import Foundation
import JSON
import Testing

@testable import JSONRPC

/// Values on several lines, although a message is one line. A row is a stream: `!` marks lines that get an error, `=`
/// lines that are executed, and all other lines get no reply.
struct PrettyPrintedValueTests {
    private static let good = #"={"jsonrpc":"2.0","method":"update","id":1}"#

    private static let streams: [[String]] = [
        // As jq, JSON.stringify and json.dumps print it, with other requests before and after.
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
        // Invalid JSON inside the value belongs to the value, up to its closing bracket.
        ["!{", #"  "id": 1,"#, "}", good],
        ["!{", "  jsonrpc: '2.0',", "  id: 1", "}", good, "!}"],
        ["!{", "  // a comment", #"  "id": {"#, "  }", "}", "!}"],
        // A line that is a whole message is executed, whatever precedes it.
        ["!{", good, good, "!x", good],
        ["!{", "=  " + good.dropFirst(), good],
        ["![", good, good],
        ["!{", #"=[{"jsonrpc":"2.0","method":"update","id":1}]"#, good],
        ["!{", #"!{"jsonrpc":"1.0","method":"update","id":1}"#, good],
        [#"!{"jsonrpc":"2.0","#, good, good],
        [#"!{"jsonrpc":"2.0","params":"#, good, good],
        // In a batch with one message a line, only the last message has no comma after it.
        ["![", #"  {"jsonrpc":"2.0","method":"update","id":1},"#, "=  " + good.dropFirst(), "]", good],
        // The start of a truncated message does not hide the error of another invalid line.
        ["!{", "!{", #"!{"jsonrpc":"2.0","#, #"!{"jsonrpc":"2.0""#, good],
        [#"!{"jsonrpc":"2.0","params":"#, #"!{"jsonrpc":"2.0","params":["#, "![]", "![1", "!7", "!hello", good],
        [#"!{"jsonrpc":"2.0","id":"cut"#, "!}", good],
        ["!{", #"  "id": 1"#, "!} x", good],
        ["!" + String(repeating: "[", count: 128), "!" + String(repeating: "[", count: 129), "!]", good],
    ]

    @Test(arguments: streams.indices)
    func repliesOnceForTheWholeValue(_ row: Int) {
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

    /// Each line is examined once or twice, however many there are.
    @Test func readsManyLinesInLinearTime() {
        let rows = String(repeating: "  1,\n", count: 200_000)
        let lines = Exchange().lines(for: "[\n" + rows + "  1\n]\n" + Self.good.dropFirst() + "\n")
        #expect(marks(lines) == "!=")
    }

    @Test func doesNotApplyToHeaderFraming() {
        let frame = { (text: String) in "Content-Length: \(text.utf8.count)\r\n\r\n\(text)" }
        let output = Exchange(framing: .header).text(
            for: [Array((frame("{\n") + frame("}") + frame(String(Self.good.dropFirst()))).utf8)]
        )
        #expect(output.components(separatedBy: "\"error\"").count == 3)
        #expect(output.contains("\"result\""))
    }
}
