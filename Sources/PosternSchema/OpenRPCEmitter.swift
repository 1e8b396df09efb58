import JSON

/// Generates the contract as an OpenRPC document.
struct OpenRPCEmitter {
    let document: JSONValue

    init(_ contract: Contract) {
        let schemas = contract.types.map { api, type in
            JSONValue.Property(api.typeName(type.name), Self.schemas(of: api).schema(of: type))
        }
        let methods = contract.apis.flatMap { api in
            api.methods.map { Self.method($0, in: api, contract.limits(of: $0)) }
        }
        document = [
            "openrpc": "1.4.0",
            "info": [
                "title": "Postern",
                "description": "User accounts through a pipe: JSON-RPC 2.0 lines over stdin and stdout.",
                "version": .string(contract.version),
            ],
            "methods": .array(methods),
            "components": ["schemas": .object(schemas), "errors": .object(Self.faults(in: contract))],
            "x-host-methods": .array(
                contract.apis.flatMap { api in api.hostMethods.map { Self.hostMethod($0, in: api) } }
            ),
            "x-limits": .object(contract.limits.limits.filter { $0.module != "Store" }.map(Self.limit)),
        ]
    }

    /// Generates Swift that contains the document in pieces, each one line of JSON. A process joins the pieces of the
    /// methods that it serves.
    static func swiftText(of document: JSONValue, _ contract: Contract) -> String {
        let properties = document.object ?? []
        let methods = zip(contract.apis.flatMap(\.methods), document["methods"]?.array ?? []).map { method, value in
            literal("        case .\(method.name.lowerCamel):", value.text)
        }
        let place = properties.firstIndex { $0.name == "methods" } ?? 0
        let head = JSONValue.object(Array(properties[..<place])).text.dropLast() + ",\"methods\":["
        let tail = "]," + JSONValue.object(Array(properties[(place + 1)...])).text.dropFirst()
        return """
            \(generatedMark)/// The pieces of the result of `rpc.discover`.
            enum OpenRPCPieces {
                /// The text before the first method.
            \(literal("    static let head: StaticString =", String(head)))
                /// The text after the last method.
            \(literal("    static let tail: StaticString =", String(tail)))

                /// The text of one method.
                static func method(_ method: Method) -> StaticString {
                    switch method {
            \(methods.joined(separator: "\n"))
                    }
                }
            }

            """
    }

    private static func literal(_ line: String, _ text: String) -> String {
        let margin = String(repeating: " ", count: line.prefix { $0 == " " }.count + 4)
        return [line, "\(margin)#\"\"\"", margin + text, "\(margin)\"\"\"#"].joined(separator: "\n")
    }

    /// The entry of a bound: its name, value and description.
    private static func limit(_ limit: ContractLimits.Limit) -> JSONValue.Property {
        .init(limit.name, ["value": .number(String(limit.value)), "description": .string(limit.description)])
    }

    private static func method(_ method: Method, in api: API, _ limits: [ContractLimits.Limit]) -> JSONValue {
        let errors = errors(of: method, in: api)
        let params: [JSONValue] = method.params.map { param in
            [
                "name": .string(param.name), "description": .string(param.description),
                "required": .bool(param.isRequired), "schema": schemas(of: api).schema(of: param),
            ]
        }
        let exampleParams: [JSONValue] = (method.example["params"]?.object ?? []).map { param in
            ["name": .string(param.name), "value": param.value]
        }
        var properties: [JSONValue.Property] = [
            .init("name", .string(method.name)), .init("summary", .string(method.summary)),
            .init("description", .string(method.description)), .init("tags", [["name": .string(api.name)]]),
            .init("paramStructure", "by-name"), .init("params", .array(params)),
            .init("result", ["name": "result", "schema": resultSchema(of: method, in: api)]),
        ]
        if !errors.isEmpty { properties.append(.init("errors", .array(errors))) }
        if method.example != .null {
            let result: JSONValue = ["name": "result", "value": method.example["result"] ?? .null]
            properties.append(
                .init(
                    "examples",
                    [["name": .string(method.summary), "params": .array(exampleParams), "result": result]]
                )
            )
        }
        if !limits.isEmpty {
            let values = limits.map { JSONValue.Property($0.name, .number(String($0.value))) }
            properties.append(.init("x-limits", .object(values)))
        }
        if let endpoint = method.endpoint { properties.append(.init("x-endpoint", .string(endpoint))) }
        return .object(properties)
    }

    /// A method of the host, in the form of a method. A notification has no result.
    private static func hostMethod(_ method: HostMethod, in api: API) -> JSONValue {
        let params: [JSONValue] = method.params.properties.map { property in
            [
                "name": .string(property.name), "description": .string(property.description),
                "required": .bool(!property.isOptional), "schema": schemas(of: api).schema(of: property),
            ]
        }
        var properties: [JSONValue.Property] = [
            .init("name", .string(method.name)), .init("summary", .string(method.summary)),
            .init("description", .string(method.description)), .init("paramStructure", "by-name"),
            .init("params", .array(params)), .init("x-flag", .string(method.flag)),
        ]
        if let errors = method.errors {
            properties.append(.init("result", ["name": "result", "schema": ["description": "Any result."]]))
            properties.append(.init("x-errors", .string(errors)))
        }
        return .object(properties)
    }

    /// The service's errors that no method lists, because any method can reply with them: faults of the store.
    private static func faults(in contract: Contract) -> [JSONValue.Property] {
        let service = contract.apis.filter { $0.name == "service" }
        let listed = Set(service.flatMap(\.methods).flatMap(\.errors))
        return service.flatMap(\.errors).filter { !listed.contains($0.slug) }.map { fault in
            let data: JSONValue = ["errors": [.string(fault.slug)]]
            return .init(
                fault.slug,
                ["code": .number(String(fault.code)), "message": .string(fault.message), "data": data]
            )
        }
    }

    /// One error object per code, as OpenRPC requires. Errors of an API that share a code differ in their slugs.
    private static func errors(of method: Method, in api: API) -> [JSONValue] {
        let failures = method.errors.compactMap { slug in api.errors.first { $0.slug == slug } }
        let codes = failures.map(\.code).reduce(into: [Int]()) { codes, code in
            if !codes.contains(code) { codes.append(code) }
        }
        return codes.map { code in
            let same = failures.filter { $0.code == code }
            return [
                "code": .number(String(code)), "message": .string(same.map(\.message).joined(separator: " / ")),
                "data": ["errors": .array(same.map { .string($0.slug) })],
            ]
        }
    }

    private static func resultSchema(of method: Method, in api: API) -> JSONValue {
        guard let result = method.result else { return ["type": "null"] }
        guard api.types.contains(where: { $0.name == result }) else { return ["type": "object"] }
        return schemas(of: api).schema(ofTypeNamed: result)
    }

    private static func schemas(of api: API) -> JSONSchemaEmitter {
        JSONSchemaEmitter(api: api, nesting: .referenced)
    }
}
