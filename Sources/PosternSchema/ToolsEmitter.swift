import JSON

/// Swift that holds the methods as tools of the Model Context Protocol.
struct ToolsEmitter {
    let text: String

    init(_ contract: Contract) {
        let methods = contract.apis.flatMap { api in api.methods.filter(\.isTool).map { (api, $0) } }
        var lines = ["/// The methods as tools of the Model Context Protocol.", "extension Method {"]
        lines += ["    /// The tool's name; nil for a method that is none. Hosts refuse dots."]
        lines += ["    var toolName: StaticString? {", "        switch self {"]
        lines += methods.map { "        case .\($0.1.name.lowerCamel): \"\(Self.name(of: $0.1))\"" }
        lines += ["        default: nil", "        }", "    }", ""]
        lines += ["    /// The tool as `tools/list` has it, one line of JSON."]
        lines += ["    var tool: StaticString? {", "        switch self {"]
        for (api, method) in methods {
            lines += ["        case .\(method.name.lowerCamel):", "            #\"\"\""]
            lines += ["            \(Self.tool(method, in: api).text)", "            \"\"\"#"]
        }
        lines += ["        default: nil", "        }", "    }", "}"]
        text = generatedMark + lines.joined(separator: "\n") + "\n"
    }

    private static func name(of method: Method) -> String {
        method.name.split(separator: ".").joined(separator: "_")
    }

    private static func tool(_ method: Method, in api: API) -> JSONValue {
        let emitter = JSONSchemaEmitter(api: api, nesting: .inlined)
        let title = method.summary.hasSuffix(".") ? String(method.summary.dropLast()) : method.summary
        var members: [JSONValue.Member] = [
            .init("name", .string(name(of: method))), .init("title", .string(title)),
            .init("description", .string(description(of: method))),
            .init("inputSchema", emitter.schema(ofParamsOf: method)),
        ]
        if let result = method.result { members.append(.init("outputSchema", emitter.schema(ofTypeNamed: result))) }
        members.append(
            .init(
                "annotations",
                [
                    "title": .string(title), "readOnlyHint": .bool(method.isReadOnly),
                    "destructiveHint": .bool(method.isDestructive), "idempotentHint": .bool(method.isIdempotent),
                ]
            )
        )
        return .object(members)
    }

    private static func description(of method: Method) -> String {
        let errors = method.errors.isEmpty ? "" : " Errors: \(method.errors.joined(separator: ", "))."
        return "\(method.summary) \(method.description)\(errors)"
    }
}
