import Foundation
import JSON
import PosternTesting
import Testing

/// Malformed input, sent to the real binary.
struct WireFaultTests {
    private static func framed(_ texts: String...) -> String {
        texts.map { "Content-Length: \($0.utf8.count)\r\n\r\n\($0)" }.joined()
    }

    private static func info(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"system.info"}"# }

    /// A length that counts characters, and a line of JSON between two frames, once cost the good frames after them
    /// their replies.
    @Test func answersTheGoodFramesAroundABadOne() throws {
        let short = "Content-Length: 49\r\n\r\n" + #"{"jsonrpc":"2.0","id":"é","method":"system.info"}"#
        let characters = try run(short + Self.framed(Self.info(2), Self.info(3), Self.info(9)))
        #expect(characters.contains("\"id\":2,\"result\"") && characters.contains("\"id\":3,\"result\""))
        let bare = try run(Self.framed(Self.info(2)) + Self.info(7) + "\n" + Self.framed(Self.info(3), Self.info(9)))
        #expect(bare.contains("\"id\":2,\"result\"") && bare.contains("\"id\":3,\"result\""))
        #expect(bare.contains("\"code\":-32600") && !bare.contains("\"id\":7"))
    }

    /// A pretty-printed request once got an error for each of its lines, and no error mentioned line breaks.
    @Test(arguments: ["auto", "line"])
    func answersAPrettyPrintedRequestWithOneHelpfulError(framing: String) throws {
        let request = try JSONValue(parsing: Self.info(9))
        let nested: JSONValue = ["jsonrpc": "2.0", "id": 8, "method": "x", "params": ["a": [1, ["b": [:]], "}"]]]
        let input = [
            Self.info(1), request.prettyText, Self.info(2), nested.prettyText, nested.prettyText, Self.info(3), "{",
            Self.info(4), "}", Self.info(5),
        ]
        let outcome = try PosternProcess.run(
            ["--data", ":memory:", "--framing", framing],
            input: input.joined(separator: "\n") + "\n"
        )
        let replies = try outcome.output.split(separator: "\n").map { try JSONValue(parsing: $0.utf8) }
        #expect(replies.map { $0["id"] } == [1, .null, 2, .null, .null, 3, .null, 4, .null, 5])
        for reply in replies where reply["id"] != .null { #expect(reply["result"]?["name"] != nil) }
        let error =
            #""message":"Parse error at byte 1: the text ends where a property name in double quotes or } is expected; "#
            + #"each message is one line, so send JSON without line breaks, as jq -c prints it"}"#
        #expect(outcome.output.components(separatedBy: error).count == 5)
    }

    /// The error does not wait for the rest of the value, and a message in the middle of it is answered.
    @Test func answersAnIncompleteValueAtOnce() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        postern.send("{")
        #expect(try postern.nextReply()["error"]?["code"] == -32700)
        postern.send(#"  "id": 1,"#)
        postern.send(Self.info(2))
        #expect(try postern.nextReply()["id"] == 2)
        #expect(postern.finish() == "")
    }

    /// Input that exceeds a limit on length, depth or number, and the code of its error.
    private static let excesses: [(name: String, text: @Sendable () -> String, code: Int)] = [
        ("a line", { #"{"jsonrpc":"2.0","id":1,"x":""# + String(repeating: "x", count: 9 << 20) + "\"}" }, -32600),
        ("a line without structure", { String(repeating: "x", count: 80 << 20) }, -32600),
        ("nesting", { String(repeating: "[", count: 1 << 20) + String(repeating: "]", count: 1 << 20) }, -32700),
        ("a batch", { "[" + Array(repeating: info(1), count: 1_001).joined(separator: ",") + "]" }, -32600),
    ]

    @Test(arguments: excesses.indices)
    func refusesExcessiveInputInBoundedMemoryAndServesTheNext(_ row: Int) throws {
        let excess = Self.excesses[row]
        let postern = try PosternProcess(["--data", ":memory:"])
        postern.send(Self.info(1))
        #expect(try postern.nextReply()["id"] == 1)
        postern.writeBeside(Data((excess.text() + "\n" + Self.info(2) + "\n").utf8))
        let reply = try postern.nextReply()
        #expect(reply["id"] == .null && reply["error"]?["code"]?.int == excess.code, "\(excess.name)")
        #expect(try postern.nextReply()["id"] == 2)
        let status = try String(contentsOfFile: "/proc/\(postern.processIdentifier)/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(separator: " ")
        let kibibytes = try #require(peak?.dropLast().last.flatMap { Int($0) })
        #expect(kibibytes < 64 << 10, "\(excess.name): \(kibibytes) KiB")
        #expect(postern.finish() == "")
    }

    private func run(_ input: String) throws -> String {
        try PosternProcess.run(["--data", ":memory:"], input: input).output
    }

    private func message(_ method: String, _ params: String, _ arguments: [String] = []) throws -> (Int?, String?) {
        let line = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        let outcome = try PosternProcess.run(["--data", ":memory:"] + arguments, input: line + "\n")
        let error = try JSONValue(parsing: outcome.output)["error"]
        return (error?["code"]?.int, error?["message"]?.string)
    }

    private static let twice: [(method: String, params: String, name: String)] = [
        ("operators.signin", #"{"email":"a@b.co","password":"p","email":"c@d.co"}"#, "email"),
        ("operators.signin", #"{"email":"a@b.co","password":"p","\u0065mail":"c@d.co"}"#, "email"),
        ("operators.register", #"{"user":{"email":"a@b.co","email":"c@d.co"},"password":"p"}"#, "email"),
        ("care.user.register", #"{"email":"a@b.co","role":"user","password":"p","role":"clinician"}"#, "role"),
        ("sales.user.update_me", #"{"api_key":"k","name":{"first":"a","first":"b"}}"#, "first"),
        ("system.info", #"{"x":1,"x":2}"#, "x"),
        ("operators.signin", #"{"other":[{"x":1,"x":2}],"email":"a@b.co","password":"p"}"#, "x"),
        ("operators.signin", #"{"email":{"x":1,"x":2},"password":"p"}"#, "x"),
        ("operators.signin", #"{"other":1,"email":"a@b.co","password":"p","other":2}"#, "other"),
        ("tools/call", #"{"name":"system_info","name":"rpc_discover"}"#, "name"),
        ("tools/call", #"{"name":"system_info","_meta":{"x":1,"x":2}}"#, "x"),
        ("tools/list", #"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"x":{"y":1,"y":2}}}}"#, "y"),
        ("initialize", #"{"protocolVersion":"2025-06-18","clientInfo":{"name":"a","name":"b"}}"#, "name"),
    ]

    /// The last of two properties with the same name once won, so that two readers could see two different requests.
    @Test(arguments: twice.indices)
    func refusesADuplicateProperty(_ row: Int) throws {
        let (method, params, name) = Self.twice[row]
        let (code, text) = try message(method, params)
        #expect(code == -32602 && text == "Invalid params: the property \(name) is given twice")
    }

    @Test func refusesADuplicatePropertyInAToolsArguments() throws {
        let initialize =
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#
            + #""capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#
        let call =
            #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"operators_signin","arguments":"#
            + #"{"email":"a@b.co","password":"p","email":"c@d.co"}}}"#
        let output = try run(initialize + "\n" + call + "\n")
        #expect(
            output.contains(
                #""id":2,"error":{"code":-32602,"message":"Invalid params: the property email is given twice""#
            )
        )
    }

    /// The last of two protocol versions in `_meta` once won.
    @Test func refusesADuplicatePropertyInARequestsMetadata() throws {
        let version = "io.modelcontextprotocol/protocolVersion"
        let list =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"\#(version)":"2025-01-01","#
            + #""\#(version)":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
        let error = #""error":{"code":-32602,"message":"Invalid params: the property \#(version) is given twice""#
        #expect(try run(list + "\n").contains(error))
    }

    /// Unknown properties were once ignored silently, even a misspelt required one.
    @Test func namesAnUnknownProperty() throws {
        let params = #"{"emial":"a@b.co","password":"p"}"#
        let strict = try message("operators.signin", params, ["--strict-params"])
        #expect(strict == (-32602, "Invalid params: operators.signin has no property emial (did you mean email?)"))
        let lenient = try message("operators.signin", params)
        #expect(
            lenient.1?.hasSuffix("here is no property emial (did you mean email?).") == true
                || lenient.1?.hasSuffix("; there is no property emial (did you mean email?)") == true
        )
        let nested = try message(
            "operators.register",
            #"{"user":{"frist_name":"A"},"password":"p"}"#,
            ["--strict-params"]
        )
        #expect(
            nested.1
                == "Invalid params: operators.register has no property user.frist_name (did you mean user.first_name?)"
        )
        let known = try message("operators.signin", #"{"email":"a@b.co","password":"p"}"#, ["--strict-params"])
        #expect(known.0 != -32602)
        let none = try message("system.info", #"{"x":1}"#)
        #expect(none == (nil, nil))
    }

    private static let long = String(repeating: "é", count: 100_000)
    private static let short = String(repeating: "é", count: 16) + "…"
    private static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    private static let withLongNames: [(method: String, params: String, text: String)] = [
        (
            "operators.signin", #"{"\#(long)":1}"#,
            "operators.signin has no property \(short); it takes email, password"
        ),
        (
            "operators.register", #"{"user":{"\#(long)":1}}"#,
            "operators.register has no property user.\(short); it takes user.first_name, user.last_name, user.email"
        ),
        (
            "tools/call", #"{"name":"system_info",\#(meta),"arguments":{"\#(long)":1,"\#(long)":1}}"#,
            "the property \(short) is given twice"
        ),
        (
            "tools/call", #"{"name":"system_info",\#(meta),"arguments":{"\#(long)":1}}"#,
            "no property \(short); it takes none"
        ),
        ("tools/call", #"{"name":"\#(long)",\#(meta)}"#, "Unknown tool: \(short)"),
        (
            "tools/list",
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"\#(long)","#
                + #""io.modelcontextprotocol/clientCapabilities":{}}}"#,
            #""requested":"\#(short)""#
        ),
        (long, "{}", "Method not found"),
    ]

    /// A name of 200 KB was once repeated whole in the error, in one case as the text of a Swift value.
    @Test(arguments: withLongNames.indices)
    func shortensALongNameInAnError(_ row: Int) throws {
        let (method, params, text) = Self.withLongNames[row]
        let line = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        let outcome = try PosternProcess.run(["--data", ":memory:", "--strict-params"], input: line + "\n")
        let start = String(outcome.output.prefix(1_000))
        #expect(start.contains(text) && outcome.output == start)
    }

    /// Without --strict-params, the error about the missing property names the unknown one as a hint.
    @Test func shortensALongNameInAHint() throws {
        let (_, text) = try message("operators.signin", #"{"\#(Self.long)":1,"password":"p"}"#)
        #expect(text?.contains("here is no property \(Self.short)") == true && (text?.utf8.count ?? 0) < 500)
    }

    @Test func listsTheParamsWhenAnArrayIsGiven() throws {
        let (code, text) = try message("operators.signin", #"["a@b.co","p"]"#)
        #expect(code == -32602 && text == "Invalid params: operators.signin takes an object with email, password")
    }
}
