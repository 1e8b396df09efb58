import JSON

/// Generates the Swift tables of the methods as tools of the Model Context Protocol (MCP).
struct ToolsEmitter {
    let text: String

    init(_ contract: Contract) {
        let methods = contract.apis.flatMap { api in api.methods.filter(\.isTool).map { (api, $0) } }
        var lines = ["/// The methods as tools of the Model Context Protocol.", "extension Method {"]
        lines += ["    /// The tool's name; nil for a method that is not a tool. Hosts refuse names with dots."]
        lines += ["    var toolName: StaticString? {", "        switch self {"]
        lines += methods.map { "        case .\($0.1.name.lowerCamel): \"\(Self.name(of: $0.1))\"" }
        lines += ["        default: nil", "        }", "    }", ""]
        lines += ["    /// The tool's entry in the result of `tools/list`, as one line of JSON."]
        lines += ["    var tool: StaticString? {", "        switch self {"]
        for (api, method) in methods {
            lines += ["        case .\(method.name.lowerCamel):", "            #\"\"\""]
            lines += ["            \(Self.tool(method, in: api).text)", "            \"\"\"#"]
        }
        lines += ["        default: nil", "        }", "    }", ""]
        lines += ["    /// Whether the method changes nothing."]
        lines += ["    var onlyReads: Bool {", "        switch self {"]
        lines += methods.filter(\.1.effect.isReadOnly).map { "        case .\($0.1.name.lowerCamel): true" }
        lines += ["        default: false", "        }", "    }", "}", ""]
        lines += ["extension ErrorCode.API {", "    /// The prefix of the names of the API's tools."]
        lines += ["    var toolGroup: String {", "        switch self {"]
        lines += contract.apis.map { "        case .\($0.name): \"\($0.toolGroup)\"" }
        lines += ["        }", "    }", ""]
        lines += [
            "    /// Instructions for assistants on how to use the API's tools, in a sentence or two."
        ]
        lines += ["    var toolInstructions: StaticString {", "        switch self {"]
        for api in contract.apis {
            lines += [
                "        case .\(api.name):", "            #\"\"\"", "            \(api.instructions)",
                "            \"\"\"#",
            ]
        }
        lines += ["        }", "    }", "}"]
        text = generatedMark + "import Accounts\n\n" + lines.joined(separator: "\n") + "\n"
    }

    private static func name(of method: Method) -> String {
        method.name.split(separator: ".").joined(separator: "_")
    }

    private static func tool(_ method: Method, in api: API) -> JSONValue {
        let title = "\(api.toolGroup): " + method.summary.lowerFirst.trimmingFullStop
        var properties: [JSONValue.Property] = [
            .init("name", .string(name(of: method))), .init("title", .string(title)),
            .init("description", .string(description(of: method, in: api))),
            .init("inputSchema", ToolInputSchema(method.params).value),
        ]
        if let result = method.result {
            let emitter = JSONSchemaEmitter(api: api, nesting: .inlined)
            properties.append(.init("outputSchema", emitter.schema(ofTypeNamed: result)))
        }
        properties.append(
            .init(
                "annotations",
                [
                    "title": .string(title), "readOnlyHint": .bool(method.effect.isReadOnly),
                    "destructiveHint": .bool(method.effect.isDestructive), "idempotentHint": .bool(method.isIdempotent),
                    // The tools access only the store of this process.
                    "openWorldHint": false,
                ]
            )
        )
        return .object(properties)
    }

    private static func description(of method: Method, in api: API) -> String {
        let sources = method.params.compactMap { source(of: $0, for: method, in: api) }
        let errors = method.errors.isEmpty ? [] : ["Errors: \(method.errors.joined(separator: ", "))."]
        let value = method.result == nil ? ["Returns no value."] : []
        let sentences = ["\(api.toolGroup): \(method.summary)", method.description] + sources + value + errors
        return sentences.joined(separator: " ")
    }

    /// A sentence on where an assistant gets a credential: from the result of another tool, or from a mail. Nil for any
    /// other param.
    private static func source(of param: Property, for method: Method, in api: API) -> String? {
        let giving = api.methods.filter { other in
            other.isTool && other.name != method.name && gives(other, param.name, in: api)
        }
        let tools = giving.map { name(of: $0) }.joined(separator: " or ")
        switch param.name {
        case "code", "token":
            return "`\(param.name)` comes in a mail; where mail is kept, `postern outbox show ID` shows it, and in "
                + "deterministic mode system_outbox does."
        case "referral_code":
            return "`referral_code` comes from `postern invite`\(tools.isEmpty ? "" : ", or from \(tools)")."
        default:
            return tools.isEmpty ? nil : "`\(param.name)` comes from \(tools)."
        }
    }

    /// Whether a method's result has a secret property with a name, or a referral code.
    private static func gives(_ method: Method, _ name: String, in api: API) -> Bool {
        let type = api.types.first { $0.name == method.result }
        return type?.properties.contains { $0.name == name && ($0.isSecret || name == "referral_code") } ?? false
    }
}

extension API {
    /// The prefix of the names of the API's tools.
    fileprivate var toolGroup: String { name == "service" ? "system" : name }
}

extension String {
    fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
