import JSON

/// Generates the JSON Schema of an API's params and results. `ToolInputSchema` generates that of a tool's arguments.
struct JSONSchemaEmitter {
    /// How the schema of a nested type is written.
    enum Nesting {
        /// As a reference to `#/components/schemas/…`, as in OpenRPC.
        case referenced
        /// In place, so that the schema is complete in itself.
        case inlined
    }

    let api: API
    let nesting: Nesting

    /// The schema of a result type.
    func schema(of type: ObjectType) -> JSONValue {
        [
            "type": "object", "description": .string(type.description),
            "properties": .object(type.members.map { .init($0.name, schema(of: $0)) }),
            "required": .array(type.members.filter { !$0.isOptional }.map { .string($0.name) }),
        ]
    }

    /// The schema of the result type with a name.
    func schema(ofTypeNamed name: String) -> JSONValue {
        guard nesting == .inlined, let type = api.types.first(where: { $0.name == name }) else {
            return ["$ref": .string("#/components/schemas/\(api.typeName(name))")]
        }
        return schema(of: type)
    }

    /// The schema of a property or a param.
    ///
    /// - Parameter isPartial: whether the property is in an object of which all properties may be omitted.
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
        // The property's own description replaces that of its type.
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
