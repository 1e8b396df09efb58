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
            "properties": .object(type.properties.map { .init($0.name, schema(of: $0)) }),
            "required": .array(type.properties.filter { !$0.isOptional }.map { .string($0.name) }),
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
    func schema(of property: Property, isPartial: Bool = false) -> JSONValue {
        if let input = property.input {
            let isPartial = isPartial || property.isPartial
            let required = isPartial ? [] : input.properties.filter(\.isRequired)
            let description = JSONValue.Property("description", .string(property.description))
            return .object(object(input.properties, required: required, isPartial: isPartial) + [description])
        }
        var properties: [JSONValue.Property]
        switch property.type.base {
        case "string", "integer", "boolean", "object":
            properties = [.init("type", typeValue(property.type.base, property.type))]
        case "epoch": properties = [.init("type", "integer")]
        case "time": properties = [.init("type", typeValue("string", property.type)), .init("format", "date-time")]
        default: properties = schema(ofTypeNamed: property.type.base).object ?? []
        }
        if let constant = property.constant { properties.append(.init("const", constant)) }
        if property.type.isList { properties = [.init("type", "array"), .init("items", .object(properties))] }
        // The property's own description replaces that of its type.
        properties.removeAll { $0.name == "description" }
        properties.append(.init("description", .string(property.explanation)))
        return .object(properties + property.constraints)
    }

    private func object(_ properties: [Property], required: [Property], isPartial: Bool = false) -> [JSONValue.Property]
    {
        [
            .init("type", "object"),
            .init("properties", .object(properties.map { .init($0.name, schema(of: $0, isPartial: isPartial)) })),
            .init("required", .array(required.map { .string($0.name) })),
        ]
    }

    private func typeValue(_ name: String, _ type: TypeName) -> JSONValue {
        type.isNullable && !type.isList ? [.string(name), "null"] : .string(name)
    }
}
