import JSON

/// What an API takes and gives, as JSON Schema. What a tool takes is in `ToolInputSchema`.
struct JSONSchemaEmitter {
    /// How a type that another holds is written.
    enum Nesting {
        /// As a reference to `#/components/schemas/…`, where OpenRPC has them.
        case referenced
        /// Where it stands, so that a schema needs nothing beside it.
        case inlined
    }

    let api: API
    let nesting: Nesting

    /// A type that results are made of.
    func schema(of type: ObjectType) -> JSONValue {
        [
            "type": "object", "description": .string(type.description),
            "properties": .object(type.members.map { .init($0.name, schema(of: $0)) }),
            "required": .array(type.members.filter { !$0.isOptional }.map { .string($0.name) }),
        ]
    }

    /// A type by its name.
    func schema(ofTypeNamed name: String) -> JSONValue {
        guard nesting == .inlined, let type = api.types.first(where: { $0.name == name }) else {
            return ["$ref": .string("#/components/schemas/\(api.typeName(name))")]
        }
        return schema(of: type)
    }

    /// - Parameter isPartial: whether the member stands in an object whose members may all be left out.
    func schema(of member: Member, isPartial: Bool = false) -> JSONValue {
        if let input = member.input {
            let isPartial = isPartial || member.isPartial
            let required = isPartial ? [] : input.members.filter(\.isRequired)
            let description = JSONValue.Member("description", .string(member.description))
            return .object(object(input.members, required: required, isPartial: isPartial) + [description])
        }
        var members: [JSONValue.Member]
        switch member.type.base {
        case "string", "integer", "boolean": members = [.init("type", typeValue(member.type.base, member.type))]
        case "epoch": members = [.init("type", "integer")]
        case "time": members = [.init("type", typeValue("string", member.type)), .init("format", "date-time")]
        default: members = schema(ofTypeNamed: member.type.base).object ?? []
        }
        if let constant = member.constant { members.append(.init("const", constant)) }
        if member.type.isList { members = [.init("type", "array"), .init("items", .object(members))] }
        // What the member is says more than what its type is.
        members.removeAll { $0.name == "description" }
        members.append(.init("description", .string(member.description)))
        return .object(members + member.constraints)
    }

    private func object(_ members: [Member], required: [Member], isPartial: Bool = false) -> [JSONValue.Member] {
        [
            .init("type", "object"),
            .init("properties", .object(members.map { .init($0.name, schema(of: $0, isPartial: isPartial)) })),
            .init("required", .array(required.map { .string($0.name) })),
        ]
    }

    private func typeValue(_ name: String, _ type: TypeName) -> JSONValue {
        type.isNullable && !type.isList ? [.string(name), "null"] : .string(name)
    }
}
