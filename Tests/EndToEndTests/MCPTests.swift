import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// Both eras of the Model Context Protocol, as any host may use it.
struct MCPTests {
    private let postern: PosternProcess

    init() throws {
        postern = try PosternProcess(["--data", ":memory:", "--no-email-confirmation"])
    }

    private static let person: JSONValue = ["first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"]
    private static let registration: JSONValue = ["user": person, "password": "password"]

    /// The `_meta` object of a request since 2026-07-28.
    private static func envelope(version: JSONValue = "2026-07-28") -> JSONValue {
        ["io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": [:]]
    }

    private static let clientInfo: JSONValue = ["name": "host", "version": "1"]

    @discardableResult
    private func initialize(version: String = "2025-11-25") throws -> JSONValue {
        let params: JSONValue = [
            "protocolVersion": .string(version), "capabilities": [:], "clientInfo": Self.clientInfo,
        ]
        return try postern.reply(to: "initialize", params)
    }

    private func call(_ tool: String, _ arguments: JSONValue = [:]) throws -> JSONValue {
        try postern.reply(to: "tools/call", ["name": .string(tool), "arguments": arguments])
    }

    /// The JSON value in the text of a tool's result.
    private func text(of reply: JSONValue) throws -> JSONValue {
        let content = try #require(reply["result"]?["content"]?.array)
        #expect(content.count == 1 && content[0]["type"] == "text")
        return try JSONValue(parsing: #require(content[0]["text"]?.string))
    }

    // MARK: Handshake

    @Test(
        arguments: [
            ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1.0", "2025-11-25"),
        ]
    )
    func agreesOnAVersion(asked: String, agreed: String) throws {
        let result = try initialize(version: asked)["result"]
        #expect(result?["protocolVersion"]?.string == agreed)
        #expect(result?["capabilities"] == ["tools": [:]])
        #expect(result?["serverInfo"]?["name"] == "postern")
        #expect(result?.object?.map(\.name) == ["protocolVersion", "capabilities", "serverInfo", "instructions"])
        // The notification has no reply, so the next line answers the ping.
        postern.send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        #expect(try postern.reply(to: "ping")["result"] == [:])
        #expect(try postern.reply(to: "tools/list")["result"]?.object?.map(\.name) == ["tools"])
    }

    @Test func refusesInitializeWithoutAVersion() throws {
        #expect(try postern.reply(to: "initialize", ["protocolVersion": 7])["error"]?["code"]?.int == -32_602)
        #expect(try postern.reply(to: "tools/list")["error"]?["code"]?.int == -32_602)
    }

    // MARK: Stateless requests

    @Test func answersServerDiscover() throws {
        let result = try postern.reply(to: "server/discover", ["_meta": Self.envelope()])["result"]
        #expect(result?["resultType"] == "complete")
        #expect(result?["supportedVersions"] == ["2026-07-28"])
        #expect(result?["capabilities"] == ["tools": [:]])
        #expect((result?["ttlMs"]?.int ?? 0) > 0 && result?["cacheScope"] == "public")
        #expect(result?["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"] == "postern")
    }

    @Test func marksEveryResultOfTheStatelessEra() throws {
        let list = try postern.reply(to: "tools/list", ["_meta": Self.envelope()])["result"]
        #expect(list?["resultType"] == "complete" && list?["cacheScope"] == "public" && list?["ttlMs"]?.int != nil)
        for (tool, isError) in [("system_info", false), ("sales_user_me", true)] {
            let params: JSONValue = ["_meta": Self.envelope(), "name": .string(tool)]
            let result = try postern.reply(to: "tools/call", params)["result"]
            #expect(result?["resultType"] == "complete" && result?["isError"]?.bool == isError)
            #expect(result?["ttlMs"] == nil)
        }
        // `ping` belongs to the other era.
        #expect(try postern.reply(to: "ping", ["_meta": Self.envelope()])["error"]?["code"]?.int == -32_601)
    }

    /// A version that is not a string is an invalid request, not an unsupported version.
    @Test(arguments: ["server/discover", "tools/list", "tools/call"])
    func refusesAnIncompleteEnvelope(method: String) throws {
        let version = JSONValue.Property("io.modelcontextprotocol/protocolVersion", "2026-07-28")
        let capabilities = JSONValue.Property("io.modelcontextprotocol/clientCapabilities", [:])
        let metas: [JSONValue] = [
            .null, [:], .object([version]), .object([capabilities]), Self.envelope(version: 20_260_728),
            .object([version, JSONValue.Property(capabilities.name, "tools")]),
        ]
        for meta in metas {
            let reply = try postern.reply(to: method, ["_meta": meta, "name": "system_info"])
            #expect(reply["error"]?["code"]?.int == -32_602, "\(meta.text)")
        }
        #expect(try postern.reply(to: method)["error"]?["code"]?.int == -32_602)
    }

    @Test func namesTheSupportedVersions() throws {
        for version in ["2025-11-25", "2027-01-01"] {
            let meta = Self.envelope(version: .string(version))
            let error = try postern.reply(to: "tools/list", ["_meta": meta])["error"]
            #expect(error?["code"]?.int == -32_022)
            #expect(error?["data"] == ["supported": ["2026-07-28"], "requested": .string(version)])
        }
    }

    @Test func servesBothErasOnOneStream() throws {
        try initialize()
        let stateless = try postern.reply(to: "tools/call", ["_meta": Self.envelope(), "name": "system_info"])
        #expect(stateless["result"]?["resultType"] == "complete")
        #expect(try call("system_info")["result"]?["resultType"] == nil)
        #expect(try postern.reply(to: "server/discover")["error"]?["code"]?.int == -32_602)
    }

    // MARK: Tools

    @Test func offersEveryMethodOfTheSchemaAsATool() throws {
        let file = PosternProcess.repository.appendingPathComponent("schema/openrpc.json")
        let document = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        let methods = try #require(document["methods"]?.array).compactMap { $0["name"]?.string }
        // Assistants are never offered administration.
        let names = methods.filter { $0 != "rpc.discover" && !$0.hasPrefix("admin.") }
            .map { $0.replacingOccurrences(of: ".", with: "_") }
        let isDeterministicOnly: Set = ["system_advance_clock", "system_outbox", "system_invite"]
        try initialize()
        let tools = try #require(postern.reply(to: "tools/list")["result"]?["tools"]?.array)
        #expect(tools.compactMap { $0["name"]?.string } == names.filter { !isDeterministicOnly.contains($0) })
        #expect(try postern.reply(to: "tools/list")["result"]?["tools"]?.array == tools)
        for tool in tools {
            let name = try #require(tool["name"]?.string)
            #expect(name.wholeMatch(of: /[a-zA-Z0-9_-]{1,64}/) != nil)
            #expect(tool["title"]?.string != nil && tool["description"]?.string != nil)
            #expect(tool["inputSchema"]?["type"] == "object")
            #expect(tool["outputSchema"].map { $0["type"] == "object" } ?? true)
            // A host takes a tool without this hint for destructive.
            for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
                #expect(tool["annotations"]?[hint]?.bool != nil, "\(name) \(hint)")
            }
            #expect(!tool.text.contains("$ref"))
        }
        let deterministic = try PosternProcess.deterministic()
        let all = try deterministic.reply(to: "tools/list", ["_meta": Self.envelope()])["result"]?["tools"]?.array
        #expect(all?.compactMap { $0["name"]?.string } == names)
    }

    @Test func callsAMethodAsATool() throws {
        try initialize()
        let reply = try call("operators_register", Self.registration)
        let operatorGiven = try #require(reply["result"]?["structuredContent"])
        #expect(operatorGiven["user"]?["email"] == "lasoren@bu.edu")
        #expect(reply["result"]?["isError"] == false)
        #expect(try text(of: reply) == operatorGiven)
        // The method, called by its own name, sees the tool's effect.
        let session: JSONValue = [
            "user_id": operatorGiven["id"] ?? .null, "session_id": operatorGiven["session_id"] ?? .null,
            "provision": 0,
        ]
        #expect(try postern.reply(to: "operators.clients.get", session)["result"]?["clients"] == [])
        // A method that answers null has no object to return, and the bare word `null` reads like a failure.
        let reset = try call("operators_reset_password", ["email": "nobody@example.com"])
        #expect(reset["result"]?["content"]?.array?.first?["text"] == "Accepted. This tool returns no value.")
        #expect(reset["result"]?.object?.map(\.name) == ["content", "isError"])
    }

    @Test func returnsErrorsAsToolResults() throws {
        try initialize()
        let wrong = try call("care_auth_token", ["email": "nobody@example.com", "password": "p"])
        #expect(wrong["result"]?["isError"] == true && wrong["result"]?["structuredContent"] == nil)
        let error = try text(of: wrong)
        #expect(error["code"]?.int == 401)
        #expect(error["data"] == ["success": false, "errors": ["wrong_email_password"]])
        for arguments: JSONValue in [[1], "x", 7] {
            let refused = try call("operators_signin", arguments)
            #expect(refused["result"]?["isError"] == true)
            #expect(try text(of: refused)["code"]?.int == -32_602)
        }
        // Without arguments, the method reports its first missing parameter.
        let bare = try postern.reply(to: "tools/call", ["name": "operators_signin"])
        #expect(try text(of: bare)["data"]?["field"] == "email")
    }

    /// A host lists tools by title, and four titles once occurred twice.
    @Test func hasUniqueTitlesAndSaysWhereSecretsComeFrom() throws {
        let deterministic = try PosternProcess.deterministic()
        let reply = try deterministic.reply(to: "tools/list", ["_meta": Self.envelope()])
        let tools = try #require(reply["result"]?["tools"]?.array)
        let titles = tools.compactMap { $0["title"]?.string }
        #expect(Set(titles).count == tools.count)
        let names = Set(tools.compactMap { $0["name"]?.string })
        for tool in tools {
            let name = try #require(tool["name"]?.string)
            let description = try #require(tool["description"]?.string)
            let group = try #require(name.split(separator: "_").first)
            #expect(description.hasPrefix("\(group): "))
            #expect(tool["annotations"]?["title"] == tool["title"])
            let params = (tool["inputSchema"]?["properties"]?.object ?? []).map(\.name)
            for token in ["session_id", "access_token", "api_key"] where params.contains(token) {
                let source = try #require(description.firstMatch(of: try Regex("`\(token)` comes from ([a-z_ ]+)\\.")))
                let givers = try #require(source.output[1].substring).components(separatedBy: " or ")
                #expect(!givers.isEmpty && names.isSuperset(of: givers), "\(name) \(givers)")
            }
            if params.contains("code") || params.contains("token") { #expect(description.contains("`postern outbox")) }
            if params.contains("referral_code") { #expect(description.contains("`postern invite`")) }
        }
    }

    @Test func givesInstructionsForTheAPIs() throws {
        let shaken = try #require(initialize()["result"]?["instructions"]?.string)
        let discovered = try postern.reply(to: "server/discover", ["_meta": Self.envelope()])
        #expect(discovered["result"]?["instructions"]?.string == shaken)
        for word in [
            "operators_signin", "care_auth_token", "sales_user_authenticate", "`postern outbox", "`postern invite`",
        ] {
            #expect(shaken.contains(word), "\(word)")
        }
        #expect(!shaken.contains("\n"))
    }

    /// A misspelt optional argument was once ignored, and the call succeeded without it.
    @Test func refusesUnknownArguments() throws {
        try initialize()
        let rows: [(JSONValue, String)] = [
            (["frist_name": "A"], "care.user.register has no property frist_name (did you mean first_name?)"),
            (["colour": "red"], "care.user.register has no property colour; it takes email, "),
        ]
        for (extra, message) in rows {
            let base: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
            let arguments = JSONValue.object((base.object ?? []) + (extra.object ?? []))
            let refused = try call("care_user_register", arguments)
            #expect(refused["result"]?["isError"] == true)
            let error = try text(of: refused)
            #expect(error["code"]?.int == -32_602 && error["data"]?["success"] == false)
            #expect(error["message"]?.string?.contains(message) == true, "\(error.text)")
        }
        let nested = try call("operators_register", ["user": ["emial": "a@b.co"], "password": "p"])
        let message = try text(of: nested)["message"]?.string
        #expect(message == "Invalid params: operators.register has no property user.emial (did you mean user.email?)")
        let none = try call("system_info", ["verbose": true])
        #expect(try text(of: none)["message"] == "Invalid params: system.info has no property verbose; it takes none")
        // The refused call had no effect.
        let signIn = try call("care_auth_token", ["email": "a@b.co", "password": "p"])
        #expect(try text(of: signIn)["data"]?["errors"] == ["wrong_email_password"])
    }

    /// What the names of each API's tools begin with.
    private static let groups = ErrorCode.API.allCases.filter { $0 != .admin }
        .map { $0 == .service ? "system" : $0.rawValue }

    @Test(arguments: [
        ("operators", ["operators"]), ("care,sales", ["care", "sales"]), ("system", ["system"]),
        ("read-only", groups), ("sales,read-only", ["sales"]),
    ])
    func offersOnlyTheChosenTools(choice: String, groups: [String]) throws {
        let all = try Self.tools(of: postern)
        let chosen = try PosternProcess(["--data", ":memory:", "--tools", choice])
        let expected = all.filter { tool in
            let isRead = tool["annotations"]?["readOnlyHint"]?.bool == true
            return groups.contains { tool["name"]?.string?.hasPrefix($0 + "_") == true }
                && (isRead || !choice.contains("read-only"))
        }
        #expect(try Self.tools(of: chosen) == expected && !expected.isEmpty)
        let left = try #require(all.first { !expected.contains($0) }?["name"])
        let refused = try chosen.reply(to: "tools/call", ["_meta": Self.envelope(), "name": left, "arguments": [:]])
        #expect(refused["error"]?["code"]?.int == -32_602)
        #expect(refused["error"]?["message"]?.string?.hasSuffix("--tools leaves it out") == true)
        // All methods are still served.
        #expect(try chosen.reply(to: "sales.user.me")["error"]?["code"]?.int == 401)
        let discovered = try chosen.reply(to: "server/discover", ["_meta": Self.envelope()])
        let instructions = try #require(discovered["result"]?["instructions"]?.string)
        for group in Self.groups {
            #expect(instructions.contains("\(group): ") == groups.contains(group))
        }
    }

    private static func tools(of postern: PosternProcess) throws -> [JSONValue] {
        try #require(postern.reply(to: "tools/list", ["_meta": envelope()])["result"]?["tools"]?.array)
    }

    @Test func suggestsTheNearestTool() throws {
        try initialize()
        let error = try call("operators_sigin")["error"]
        #expect(error?["message"] == "Unknown tool: operators_sigin (did you mean operators_signin?)")
    }

    @Test(arguments: ["nothing", "operators.signin", "rpc_discover", "system_outbox", ""])
    func refusesUnknownTools(name: String) throws {
        try initialize()
        #expect(try call(name)["error"]?["code"]?.int == -32_602)
    }

    @Test func refusesInvalidParams() throws {
        try initialize()
        for params: JSONValue in [[], [:], ["name": 7], ["name": .null]] {
            #expect(try postern.reply(to: "tools/call", params)["error"]?["code"]?.int == -32_602)
        }
        #expect(try postern.reply(to: "tools/list", ["cursor": "x"])["error"]?["code"]?.int == -32_602)
        for method in ["prompts/list", "resources/list", "logging/setLevel", "tools"] {
            #expect(try postern.reply(to: method)["error"]?["code"]?.int == -32_601)
        }
    }

    @Test func answersABatch() throws {
        postern.send(
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},"#
                + #"{"jsonrpc":"2.0","id":"a","method":"tools/list"}]"#
        )
        let replies = try #require(postern.nextReply().array)
        #expect(replies.map { $0["id"] } == [1, "a"])
    }

    // MARK: Order

    /// Hashing takes milliseconds, so the cancellation arrives while the call waits.
    @Test(arguments: ["in-order", "as-completed"])
    func aCancelledCallHasNoEffectAndNoReply(order: String) throws {
        let postern = try PosternProcess(["--data", ":memory:", "--no-email-confirmation", "--replies", order])
        let register: JSONValue = ["name": "operators_register", "arguments": Self.registration]
        let signin: JSONValue = ["email": "lasoren@bu.edu", "password": "password"]
        postern.send(
            [
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
                #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":\#(register.text)}"#,
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"enough"}}"#,
                #"{"jsonrpc":"2.0","id":3,"method":"operators.signin","params":\#(signin.text)}"#,
                // Cancellations of a plain request and of unknown ids are ignored.
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#,
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"3"}}"#,
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}"#,
                #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            ].joined(separator: "\n")
        )
        #expect(try postern.nextReply()["id"] == 1)
        let reply = try postern.nextReply()
        #expect(reply["id"] == 3)
        #expect(reply["error"]?["code"]?.int == -8)
        #expect(postern.finish() == "")
        #expect(postern.status == 0 && postern.errorText == "")
    }

    /// Tool calls for one account stay in order, as its methods do; calls for other accounts are answered first.
    @Test func callsWaitOnlyForCallsOfTheSameAccount() throws {
        let postern = try PosternProcess([
            "--data", ":memory:", "--no-email-confirmation", "--replies", "as-completed",
        ])
        let register: JSONValue = ["name": "operators_register", "arguments": Self.registration]
        let signin: JSONValue = [
            "name": "operators_signin", "arguments": ["email": "lasoren@bu.edu", "password": "password"],
        ]
        postern.send(
            [
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
                #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":\#(register.text)}"#,
                #"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":\#(signin.text)}"#,
                #"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"system_info"}}"#,
            ].joined(separator: "\n")
        )
        var ids: [Int?] = []
        for _ in 1...4 {
            let reply = try postern.nextReply()
            ids.append(reply["id"]?.int)
            #expect(reply["result"]?["isError"] != true)
        }
        #expect(ids == [1, 4, 2, 3])
    }
}
