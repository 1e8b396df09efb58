import JSON
import Testing

@testable import JSONRPC

private let parseError = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#
private func invalid(_ id: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32600,"message":"Invalid Request"}}"#
}
private func notFound(_ id: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32601,"message":"Method not found"}}"#
}
private func result(_ value: String, _ id: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"result":\#(value)}"#
}

private func plain(_ lines: [String]) -> [String] { lines.map(\.withoutReasons) }

/// Messages and their replies: the specification's own examples (§7), and the cases that it leaves open.
struct MessageTableTests {
    private static let table: [(input: String, output: [String])] = [
        (#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#, [result("19", "1")]),
        (#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#, [result("-19", "2")]),
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            [result("19", "3")]
        ),
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            [result("19", "4")]
        ),
        (#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, []),
        (#"{"jsonrpc": "2.0", "method": "foobar"}"#, []),
        (#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, [notFound(#""1""#)]),
        (#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, [parseError]),
        (#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, [invalid("null")]),
        (
            #"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]"#,
            [parseError]
        ),
        ("[]", [invalid("null")]),
        ("[1]", ["[" + invalid("null") + "]"]),
        ("[1,2,3]", ["[" + [invalid("null"), invalid("null"), invalid("null")].joined(separator: ",") + "]"]),
        (
            #"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},"#
                + #"{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},"#
                + #"{"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},"#
                + #"{"foo": "boo"},"#
                + #"{"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},"#
                + #"{"jsonrpc": "2.0", "method": "get_data", "id": "9"}]"#,
            [
                "["
                    + [
                        result("7", #""1""#), result("19", #""2""#), invalid("null"), notFound(#""5""#),
                        result(#"["hello",5]"#, #""9""#),
                    ].joined(separator: ",") + "]"
            ]
        ),
        (
            #"[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},{"jsonrpc": "2.0", "method": "notify_hello"}]"#,
            []
        ),
        (#"{"jsonrpc":"2.0","method":"update","id":null}"#, [result("null", "null")]),
        (#"{"jsonrpc":"2.0","method":"update","id":true}"#, [invalid("null")]),
        (#"{"jsonrpc":"2.0","method":"update","id":[]}"#, [invalid("null")]),
        (#"{"jsonrpc":"2.0","method":"update","id":{}}"#, [invalid("null")]),
        (#"{"jsonrpc":"2.0","method":"update","id":0}"#, [result("null", "0")]),
        (#"{"jsonrpc":"2.0","method":"update","id":-1}"#, [result("null", "-1")]),
        (#"{"jsonrpc":"2.0","method":"update","id":""}"#, [result("null", #""""#)]),
        (#"{"jsonrpc":"2.0","method":"update","id":1.5}"#, [result("null", "1.5")]),
        (#"{"jsonrpc":"2.0","method":"update","id":1e3}"#, [result("null", "1e3")]),
        (#"{"jsonrpc":"2.0","method":"update","id":9007199254740993}"#, [result("null", "9007199254740993")]),
        (#"{"jsonrpc":"2.0","method":"update","id":18446744073709551616}"#, [result("null", "18446744073709551616")]),
        (#"{"jsonrpc":"2.0","method":"update","id":"é\u00e9"}"#, [result("null", #""é\u00e9""#)]),
        (#"{"method":"update","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"1.0","method":"update","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":2.0,"method":"update","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":"","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":7,"id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":"update","params":"x","id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":"update","params":7,"id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":"update","params":true,"id":1}"#, [invalid("1")]),
        (#"{"jsonrpc":"2.0","method":"update","params":null,"id":1}"#, [result("null", "1")]),
        ("7", [invalid("null")]),
        (#""text""#, [invalid("null")]),
        ("null", [invalid("null")]),
        (#"{"jsonrpc":"2.0","result":7,"id":1}"#, []),
        (#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"},"id":1}"#, []),
        (#"{"jsonrpc":"2.0","method":"update","id":1,"id":2}"#, [parseError]),
        (#"{"jsonrpc":"2.0","method":"update","\u0069d":1,"id":2}"#, [parseError]),
        (#"{"jsonrpc":"2.0","method":"update","id":1,}"#, [parseError]),
        (#"{"jsonrpc":"2.0","method":"update","id":1} x"#, [parseError]),
        (#"{"jsonrpc":"2.0","method":"update","id":"\ud800"}"#, [parseError]),
        ("  \t", []),
        (#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"#, []),
        (String(repeating: "[", count: 129), [parseError]),
    ]

    @Test(arguments: table.indices)
    func repliesToWholeLines(_ row: Int) {
        let (input, output) = Self.table[row]
        #expect(plain(Exchange().lines(for: input + "\r\n")) == output)
        #expect(plain(Exchange().lines(for: input)) == output, "without the last line's end")
    }

    @Test(arguments: table.indices)
    func repliesTheSameSplitAtEveryByte(_ row: Int) {
        let (input, output) = Self.table[row]
        let bytes = Array((input + "\n").utf8)
        for place in 0...bytes.count {
            #expect(plain(Exchange().lines(for: [Array(bytes[..<place]), Array(bytes[place...])])) == output)
        }
        #expect(plain(Exchange().lines(for: bytes.map { [$0] })) == output)
    }

    @Test func repliesToTheMessageAfterEachRow() {
        let next = #"{"jsonrpc":"2.0","method":"sum","params":[1,1],"id":"next"}"#
        for (input, output) in Self.table {
            #expect(plain(Exchange().lines(for: input + "\n" + next + "\n")) == output + [result("2", #""next""#)])
        }
    }

    @Test func refusesInvalidUTF8() {
        let line = Array(#"{"jsonrpc":"2.0","method":"sum","id":""#.utf8) + [0xFF] + Array("\"}\n".utf8)
        #expect(plain(Exchange().lines(for: [line])) == [parseError])
    }

    private static let reasons: [(input: String, message: String)] = [
        (#"{"jsonrpc" "2.0"}"#, "Parse error at byte 11: expected a colon"),
        (#"{"jsonrpc":"2.0" "id":1}"#, "Parse error at byte 17: expected a comma or }"),
        ("[1 2]", "Parse error at byte 3: expected a comma or ]"),
        (#"{"jsonrpc":"2.0",}"#, "Parse error at byte 17: expected a property name in double quotes"),
        ("{'jsonrpc':1}", "Parse error at byte 1: expected a property name in double quotes"),
        (#"{"id":}"#, "Parse error at byte 6: expected a JSON value"),
        (#"{"id":1} x"#, "Parse error at byte 9: expected the end of the message"),
        (#"{"id":1,"id":2}"#, "Parse error at byte 8: the property is given twice"),
        (
            "{",
            "Parse error at byte 1: the text ends where a property name in double quotes or } is expected; each message is one line, so send JSON without line breaks, as jq -c prints it"
        ),
        (#"{"id":"\#u{01}"}"#, "Parse error at byte 7: a control character in a string must be escaped"),
        ("hello", "Parse error at byte 0: expected a JSON value"),
        (
            "POST /rpc HTTP/1.1",
            "Invalid Request: this is an HTTP request; Postern speaks JSON-RPC 2.0 on stdin and stdout, and the program that starts it serves HTTP"
        ),
        ("7", "Invalid Request: a message is an object, or an array of objects"),
        ("[]", "Invalid Request: a batch has at least one message"),
        (#"{"jsonrpc":"2.0","id":true,"method":"x"}"#, "Invalid Request: id must be a string, a number or null"),
        (#"{"id":1,"method":"x"}"#, #"Invalid Request: jsonrpc must be "2.0""#),
        (#"{"jsonrpc":"2.0","id":1}"#, "Invalid Request: method is missing"),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, "Invalid Request: method must be a string that is not empty"),
        (#"{"jsonrpc":"2.0","id":1,"method":""}"#, "Invalid Request: method must be a string that is not empty"),
        (#"{"jsonrpc":"2.0","id":1,"method":"x","params":7}"#, "Invalid Request: params must be an object"),
    ]

    /// The errors once named neither the offset nor the property.
    @Test(arguments: reasons.indices)
    func namesTheOffsetAndTheReason(_ row: Int) throws {
        let (input, message) = Self.reasons[row]
        let lines = Exchange().lines(for: input)
        #expect(lines.count == 1)
        #expect(try JSONValue(parsing: lines[0])["error"]?["message"]?.string == message)
    }

    @Test func ignoresAByteOrderMarkAtTheStart() {
        let line = [0xEF, 0xBB, 0xBF] + Array(#"{"jsonrpc":"2.0","method":"update","id":1}"#.utf8)
        #expect(Exchange().lines(for: [line]) == [result("null", "1")])
    }

    @Test func refusesALineOverTheLimitAndServesTheNext() {
        let line = [UInt8](repeating: 0x20, count: Limits.lineBytesMax + 1)
        let next = Array(("\n" + #"{"jsonrpc":"2.0","method":"update","id":1}"#).utf8)
        for pieces in [[line + next], [line, next]] {
            let lines = Exchange().lines(for: pieces)
            #expect(lines.count == 2)
            #expect(lines.first?.contains("-32600") == true && lines.first?.contains("8388608 bytes") == true)
            #expect(lines.last == result("null", "1"))
        }
    }

    @Test func refusesABatchOverTheLimit() {
        let call = #"{"jsonrpc":"2.0","method":"update","id":1}"#
        let batch = "[" + Array(repeating: call, count: Limits.batchMessagesMax + 1).joined(separator: ",") + "]"
        let lines = Exchange().lines(for: batch)
        #expect(lines.count == 1 && lines[0].contains("-32600") && lines[0].hasPrefix("{"))
    }
}
