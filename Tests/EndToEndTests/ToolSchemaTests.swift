import JSON
import PosternTesting
import Testing

/// Checks that a tool's input schema and the program agree on the limits of every param.
///
/// A host validates arguments with the schema before it sends them. A schema that is too strict hides features of a
/// tool, and one that is too loose lets a model run into errors. A nullable param has its plain type in the schema,
/// so null is the only value that the program accepts and the schema does not.
struct ToolSchemaTests {
    @Test(arguments: ["operators", "care", "sales", "system"])
    func schemaAndProgramAgree(group: String) throws {
        let tools = try ToolWorld(isStored: false).tools().filter { $0["name"]?.string?.hasPrefix(group + "_") == true }
        #expect(!tools.isEmpty)
        for tool in tools {
            let name = try #require(tool["name"]?.string)
            let input = try #require(tool["inputSchema"])
            let schema = PlainSchema(schema: input)
            let isReadOnly = tool["annotations"]?["readOnlyHint"]?.bool == true
            var world = try ToolWorld(isStored: false)
            var base = try world.arguments(of: name)
            #expect(try schema.accepts(base), "\(name) \(base.text)")
            for edge in try Self.edges(of: input, base: base) {
                let arguments = edge.change(base)
                let isValid = try schema.accepts(arguments)
                let result = try world.call(name, arguments)
                let isRefused = result["isError"]?.bool == true
                let text = "\(name) \(edge.name): \(result.text.prefix(300))"
                if edge.isNull {
                    #expect(!isValid, "\(text)")
                } else if isValid {
                    #expect(try !isRefused || !Self.isAboutParams(result), "\(text)")
                } else {
                    #expect(isRefused, "\(text)")
                }
                guard !isRefused, !isReadOnly else { continue }
                // A new service, so that the effects of this call do not cause the next refusal.
                world = try ToolWorld(isStored: false)
                base = try world.arguments(of: name)
            }
        }
    }

    /// A change to the base arguments that is invalid, or just valid.
    private struct Edge {
        let name: String
        let isNull: Bool
        let change: (JSONValue) -> JSONValue

        init(_ path: [String], _ value: JSONValue?) {
            name = "\(path.joined(separator: ".")) = \(value.map { String($0.text.prefix(40)) } ?? "left out")"
            isNull = value == .null
            change = { $0.setting(path, to: value) }
        }
    }

    private static func edges(of schema: JSONValue, base: JSONValue, at path: [String] = []) throws -> [Edge] {
        let required = schema["required"]?.array ?? []
        #expect(schema["required"] == nil || !required.isEmpty)
        #expect(schema["additionalProperties"] == false)
        return try [Edge(path + ["nonsense"], 1)]
            + (schema["properties"]?.object ?? []).flatMap { property in
                let path = path + [property.name]
                let values = try values(for: property.value, name: property.name)
                let hasInner = property.value["properties"] != nil
                let inner = hasInner ? try edges(of: property.value, base: base, at: path) : []
                return (values + [nil, .null]).map { Edge(path, $0) } + inner
            }
    }

    private static func values(for schema: JSONValue, name: String) throws -> [JSONValue?] {
        let wrong: [JSONValue?] = [true, [], .number("1.5")]
        switch schema["type"]?.string {
        case "object": return wrong + ["x", 7]
        case "integer":
            let minimum = try #require(schema["minimum"]?.int, "\(name) has a minimum")
            return wrong + ["1", [:]] + [minimum - 1, minimum].map { .number(String($0)) }
        case "string":
            let maximum = schema["maxLength"]?.int
            let lengths = (maximum.map { [$0, $0 + 1] } ?? []) + (name == "email" ? [] : [1])
            let isFree = schema["enum"] == nil && schema["pattern"] == nil
            let texts = isFree ? lengths.map { JSONValue?.some(.string(text(name, length: $0))) } : ["nonsense"]
            return wrong + ["", 7, [:]] + texts + (schema["enum"]?.array ?? []).map { .some($0) }
        default:
            Issue.record("\(name) has an unexpected type: \(schema.text)")
            return []
        }
    }

    /// A text of a given length that is valid otherwise.
    private static func text(_ name: String, length: Int) -> String {
        guard name == "email" else { return String(repeating: "x", count: length) }
        let labels = String(repeating: "x.", count: 100) + String(repeating: "x", count: length - 2 - 200)
        return "x@" + labels
    }

    /// Whether an error is about the format of a param, and not about what it refers to.
    private static func isAboutParams(_ result: JSONValue) throws -> Bool {
        let text = try #require(result["content"]?.array?.first?["text"]?.string)
        let error = try JSONValue(parsing: text)
        if error["code"]?.int == -32_602 { return true }
        let ofValues: Set = [
            "invalid_access_token", "invalid_patient_id", "invalid_share_id", "invalid_code", "invalid_referral_code",
        ]
        let slugs = (error["data"]?["errors"]?.array ?? []).compactMap(\.string)
        return slugs.contains { slug in
            let isOfForm = slug.hasPrefix("field_") || slug.hasPrefix("invalid_") || slug.hasSuffix("_required")
            return isOfForm && !ofValues.contains(slug)
        }
    }
}

extension JSONValue {
    /// The object with the property at a path replaced, added, or removed if `value` is nil.
    fileprivate func setting(_ path: [String], to value: JSONValue?) -> JSONValue {
        guard let name = path.first else { return value ?? self }
        let others = (object ?? []).filter { $0.name != name }
        if path.count == 1 { return .object(others + (value.map { [Property(name, $0)] } ?? [])) }
        return .object(others + [Property(name, (self[name] ?? [:]).setting(Array(path.dropFirst()), to: value))])
    }
}
