import JSON

/// What an OpenRPC document takes away from an earlier one, so that a program written for the earlier one can fail.
///
/// A param is what a program sends: nothing that was accepted may be refused. A result is what a program reads: nothing
/// that it was promised may be missing. docs/compatibility.md states the rules.
struct BreakingChanges {
    /// A line for each change, which begins with the method.
    private(set) var lines: [String] = []
    private let released: JSONValue
    private let current: JSONValue
    /// The pairs of names of schemas that are compared already; a schema may contain itself.
    private var compared: Set<String> = []

    init(from released: JSONValue, to current: JSONValue) {
        (self.released, self.current) = (released, current)
        let methods = Self.named(current["methods"])
        for (name, method) in Self.named(released["methods"]).sorted(by: { $0.key < $1.key }) {
            if let now = methods[name] {
                compare(method, now, name)
            } else {
                lines.append("\(name) is removed")
            }
        }
    }

    private mutating func compare(_ method: JSONValue, _ now: JSONValue, _ name: String) {
        let (earlier, later) = (Self.named(method["params"]), Self.named(now["params"]))
        for (param, before) in earlier.sorted(by: { $0.key < $1.key }) {
            guard let after = later[param] else {
                lines.append("\(name): the param \(param) is removed")
                continue
            }
            if before["required"]?.bool != true, after["required"]?.bool == true {
                lines.append("\(name): the param \(param) is now required")
            }
            compareInputs(before["schema"], after["schema"], "\(name): the param \(param)")
        }
        for (param, after) in later.sorted(by: { $0.key < $1.key })
        where earlier[param] == nil && after["required"]?.bool == true {
            lines.append("\(name): the new param \(param) is required")
        }
        compareOutputs(method["result"]?["schema"], now["result"]?["schema"], "\(name): the result")
        let errors = Self.codesBySlug(now)
        for (slug, code) in Self.codesBySlug(method).sorted(by: { $0.key < $1.key }) {
            switch errors[slug] {
            case code: break
            case let other?: lines.append("\(name): the error \(slug) has the code \(other), not \(code)")
            case nil: lines.append("\(name): the error \(slug) is removed")
            }
        }
    }

    /// Compares schemas of what a program sends.
    private mutating func compareInputs(_ before: JSONValue?, _ after: JSONValue?, _ place: String) {
        guard let before = resolved(before, in: released), let after = resolved(after, in: current) else { return }
        let refused = Self.types(before).subtracting(Self.types(after))
        if !refused.isEmpty { lines.append("\(place) no longer takes \(refused.sorted().joined(separator: ", "))") }
        for bound in ["maxLength", "maxItems", "maximum", "maxProperties"] {
            if let limit = after[bound]?.int, before[bound]?.int.map({ limit < $0 }) ?? true {
                lines.append("\(place) has a lower \(bound)")
            }
        }
        for bound in ["minLength", "minItems", "minimum"] {
            if let limit = after[bound]?.int, limit > (before[bound]?.int ?? (bound == "minimum" ? .min : 0)) {
                lines.append("\(place) has a higher \(bound)")
            }
        }
        for rule in ["pattern", "format", "const"] where after[rule] != nil && after[rule] != before[rule] {
            lines.append("\(place) has another \(rule)")
        }
        if let values = after["enum"]?.array {
            let missing = before["enum"]?.array?.filter { !values.contains($0) }
            if missing?.isEmpty != true { lines.append("\(place) takes fewer values") }
        }
        compareInputs(before["items"], after["items"], "\(place)'s elements")
        for (property, schemas) in keptProperties(before, after, place) {
            compareInputs(schemas.before, schemas.after, "\(place).\(property)")
        }
        for property in Self.required(after).subtracting(Self.required(before)).sorted() {
            lines.append("\(place).\(property) is now required")
        }
    }

    /// Compares schemas of what a program reads.
    private mutating func compareOutputs(_ before: JSONValue?, _ after: JSONValue?, _ place: String) {
        if let name = before?["$ref"]?.string, let other = after?["$ref"]?.string,
            !compared.insert("\(name) \(other)").inserted
        {
            return
        }
        guard let before = resolved(before, in: released), let after = resolved(after, in: current) else { return }
        let unexpected = Self.types(after).subtracting(Self.types(before))
        if !unexpected.isEmpty { lines.append("\(place) can now be \(unexpected.sorted().joined(separator: ", "))") }
        if before["format"] != nil, before["format"] != after["format"] { lines.append("\(place) has another format") }
        compareOutputs(before["items"], after["items"], "\(place)'s elements")
        for (property, schemas) in keptProperties(before, after, place) {
            compareOutputs(schemas.before, schemas.after, "\(place).\(property)")
        }
        for property in Self.required(before).subtracting(Self.required(after)).sorted()
        where Self.properties(after)[property] != nil {
            lines.append("\(place).\(property) can now be missing")
        }
    }

    /// The properties that both schemas have. Reports those that are removed.
    private mutating func keptProperties(
        _ before: JSONValue,
        _ after: JSONValue,
        _ place: String
    ) -> [(name: String, schemas: (before: JSONValue, after: JSONValue))] {
        let properties = Self.properties(after)
        var kept: [(String, (JSONValue, JSONValue))] = []
        for (name, schema) in Self.properties(before).sorted(by: { $0.key < $1.key }) {
            if let now = properties[name] {
                kept.append((name, (schema, now)))
            } else {
                lines.append("\(place).\(name) is removed")
            }
        }
        return kept
    }

    private func resolved(_ schema: JSONValue?, in document: JSONValue) -> JSONValue? {
        guard let reference = schema?["$ref"]?.string else { return schema }
        return reference.split(separator: "/").last.flatMap { document["components"]?["schemas"]?[String($0)] }
    }

    private static func named(_ list: JSONValue?) -> [String: JSONValue] {
        let pairs = (list?.array ?? []).compactMap { element in element["name"]?.string.map { ($0, element) } }
        return Dictionary(pairs) { first, _ in first }
    }

    private static func codesBySlug(_ method: JSONValue) -> [String: Int] {
        var codes: [String: Int] = [:]
        for error in method["errors"]?.array ?? [] {
            for slug in error["data"]?["errors"]?.array ?? [] { codes[slug.string ?? ""] = error["code"]?.int }
        }
        return codes
    }

    private static func types(_ schema: JSONValue) -> Set<String> {
        if let type = schema["type"]?.string { return [type] }
        return Set((schema["type"]?.array ?? []).compactMap(\.string))
    }

    private static func properties(_ schema: JSONValue) -> [String: JSONValue] {
        let pairs = (schema["properties"]?.object ?? []).map { ($0.name, $0.value) }
        return Dictionary(pairs) { first, _ in first }
    }

    private static func required(_ schema: JSONValue) -> Set<String> {
        Set((schema["required"]?.array ?? []).compactMap(\.string))
    }
}
