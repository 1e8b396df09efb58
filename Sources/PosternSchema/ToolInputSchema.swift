import JSON

/// Generates the JSON Schema of a tool's arguments, limited to the keywords that all hosts support.
///
/// A `type` is one string, so a param that may be null has its plain type. The schema has no `format`, no `$ref` and no
/// empty `required`. A string that may not be null may not be blank either, which the schema states as `minLength`.
struct ToolInputSchema {
    let value: JSONValue

    init(_ params: [Property]) {
        value = .object(Self.object(params, isPartial: false))
    }

    private static func object(_ properties: [Property], isPartial: Bool) -> [JSONValue.Property] {
        let properties = properties.filter(\.isOfTools)
        let schemas = properties.map { JSONValue.Property($0.name, schema(of: $0, isPartial: isPartial)) }
        let required = isPartial ? [] : properties.filter(\.isRequired)
        return [.init("type", "object"), .init("properties", .object(schemas))]
            + (required.isEmpty ? [] : [.init("required", .array(required.map { .string($0.name) }))])
            + [.init("additionalProperties", false)]
    }

    /// - Parameter isPartial: whether the property is in an object of which all properties may be omitted.
    private static func schema(of property: Property, isPartial: Bool) -> JSONValue {
        let description = JSONValue.Property("description", .string(property.description))
        if let input = property.input {
            return .object(object(input.properties, isPartial: isPartial || property.isPartial) + [description])
        }
        var constraints = property.constraints.filter { $0.name != "format" }
        let isBounded = constraints.contains { ["minLength", "enum", "pattern"].contains($0.name) }
        if property.type.base == "string", !property.type.isNullable, !isBounded {
            constraints.insert(.init("minLength", 1), at: 0)
        }
        return .object([.init("type", .string(property.type.base)), description] + constraints)
    }
}
