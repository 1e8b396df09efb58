import JSON

/// The contract as an OpenRPC document.
struct OpenRPCEmitter {
    let document: JSONValue

    init(_ contract: Contract) {
        let schemas = contract.apis.flatMap { api in
            api.types.map { JSONValue.Member(api.typeName($0.name), Self.schema(of: $0, in: api)) }
        }
        let methods = contract.apis.flatMap { api in api.methods.map { Self.method($0, in: api) } }
        document = [
            "openrpc": "1.4.0",
            "info": [
                "title": "Postern",
                "description": "User accounts through a pipe: JSON-RPC 2.0 lines over stdin and stdout.",
                "version": "1.0.0",
            ],
            "methods": .array(methods),
            "components": ["schemas": .object(schemas), "errors": .object(Self.faults(in: contract))],
        ]
    }

    /// Swift that holds a document as one line.
    static func swiftText(of document: JSONValue) -> String {
        """
        \(generatedMark)/// What `rpc.discover` answers.
        package enum OpenRPCDocument {
            /// The document, as one line of JSON.
            package static let text: StaticString =
                #\"""
                \(document.text)
                \"""#
        }

        """
    }

    private static func method(_ method: Method, in api: API) -> JSONValue {
        let errors = errors(of: method, in: api)
        let params: [JSONValue] = method.params.map { param in
            [
                "name": .string(param.name), "description": .string(param.description),
                "required": .bool(param.isRequired), "schema": schema(of: param, in: api),
            ]
        }
        let exampleParams: [JSONValue] = (method.example["params"]?.object ?? []).map { param in
            ["name": .string(param.name), "value": param.value]
        }
        var members: [JSONValue.Member] = [
            .init("name", .string(method.name)), .init("summary", .string(method.summary)),
            .init("description", .string(method.description)), .init("tags", [["name": .string(api.name)]]),
            .init("paramStructure", "by-name"), .init("params", .array(params)),
            .init("result", ["name": "result", "schema": resultSchema(of: method, in: api)]),
        ]
        if !errors.isEmpty { members.append(.init("errors", .array(errors))) }
        if method.example != .null {
            let result: JSONValue = ["name": "result", "value": method.example["result"] ?? .null]
            members.append(
                .init(
                    "examples",
                    [["name": .string(method.summary), "params": .array(exampleParams), "result": result]]
                )
            )
        }
        if let endpoint = method.endpoint { members.append(.init("x-endpoint", .string(endpoint))) }
        return .object(members)
    }

    /// The errors that no method lists as any may give them: what can be wrong with the store.
    private static func faults(in contract: Contract) -> [JSONValue.Member] {
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

    /// One object a code, as OpenRPC asks for; an API that gives a code to several errors tells them by their slugs.
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
        return ["$ref": .string("#/components/schemas/\(api.typeName(result))")]
    }

    private static func schema(of type: ObjectType, in api: API) -> JSONValue {
        [
            "type": "object", "description": .string(type.description),
            "properties": .object(type.members.map { .init($0.name, schema(of: $0, in: api)) }),
            "required": .array(type.members.filter { !$0.isOptional }.map { .string($0.name) }),
        ]
    }

    /// - Parameter isPartial: whether the member stands in an object whose members may all be left out.
    private static func schema(of member: Member, in api: API, isPartial: Bool = false) -> JSONValue {
        var schema: [JSONValue.Member]
        if let input = member.input {
            let isPartial = isPartial || member.isPartial
            let members = input.members.map { inner in
                JSONValue.Member(inner.name, self.schema(of: inner, in: api, isPartial: isPartial))
            }
            let required = isPartial ? [] : input.members.filter(\.isRequired)
            let names: JSONValue = .array(required.map { .string($0.name) })
            return [
                "type": "object", "properties": .object(members), "required": names,
                "description": .string(member.description),
            ]
        }
        switch member.type.base {
        case "string", "integer", "boolean": schema = [.init("type", typeValue(member.type.base, member.type))]
        case "epoch": schema = [.init("type", "integer")]
        case "time": schema = [.init("type", typeValue("string", member.type)), .init("format", "date-time")]
        default: schema = [.init("$ref", .string("#/components/schemas/\(api.typeName(member.type.base))"))]
        }
        if let constant = member.constant { schema.append(.init("const", constant)) }
        if member.type.isList { schema = [.init("type", "array"), .init("items", .object(schema))] }
        schema.append(.init("description", .string(member.description)))
        return .object(schema + member.constraints)
    }

    private static func typeValue(_ name: String, _ type: TypeName) -> JSONValue {
        type.isNullable && !type.isList ? [.string(name), "null"] : .string(name)
    }
}
