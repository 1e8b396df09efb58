import JSON

/// Generates the reference page, schema/REFERENCE.md.
struct ReferenceEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["<!-- \(generatedWords) -->", ""]
        lines += ["# Reference", ""]
        for api in contract.apis {
            lines += ["## \(api.title)", "", api.description, ""]
            for method in api.methods { lines += Self.section(on: method, contract.limits(of: method)) }
            for type in api.types {
                lines += ["### \(type.name)", "", type.description, ""] + Self.table(type.properties)
            }
            if !api.errors.isEmpty {
                lines += ["### Errors", "", "| code | slug | message | when |", "| --- | --- | --- | --- |"]
                lines += api.errors.map { "| \($0.code) | `\($0.slug)` | \($0.message) | \($0.when) |" } + [""]
            }
        }
        lines += ["## Messages to the host", ""]
        lines += ["The process sends these on its own, if a flag asks for them.", ""]
        for method in contract.apis.flatMap(\.hostMethods) { lines += Self.section(on: method) }
        lines += ["## Bounds", "", "| bound | value | meaning |", "| --- | --- | --- |"]
        lines += contract.limits.limits.map { "| `\($0.name)` | \($0.value) | \($0.description) |" } + [""]
        lines += ["## Stored records", ""]
        for type in contract.records.flatMap(\.records) {
            lines += ["### \(type.name)", "", type.description, ""] + Self.table(type.properties)
        }
        text = lines.dropLast().joined(separator: "\n") + "\n"
    }

    private static func section(on method: Method, _ limits: [ContractLimits.Limit]) -> [String] {
        var lines = ["### `\(method.name)`", "", method.summary + " " + method.description, ""]
        if let endpoint = method.endpoint { lines += ["Mirrors `\(endpoint)`.", ""] }
        if !method.params.isEmpty { lines += table(method.params) }
        lines += ["Result: \(method.result.map { "`\($0)`" } ?? "null").", ""]
        if !method.errors.isEmpty {
            lines += ["Errors: " + method.errors.map { "`\($0)`" }.joined(separator: ", ") + ".", ""]
        }
        if !limits.isEmpty { lines += limits.sentences + [""] }
        if method.example != .null { lines += ["```json", method.example.prettyText, "```", ""] }
        return lines
    }

    private static func section(on method: HostMethod) -> [String] {
        let kind = method.isNotification ? "A notification" : "A request"
        var lines = ["### `\(method.name)`", "", "\(method.summary) \(method.description)", ""]
        lines += ["\(kind), with `\(method.flag)`. Its params have the type `\(method.params.name)`:", ""]
        lines += table(method.params.properties)
        if let errors = method.errors { lines += ["Result: null. \(errors)", ""] }
        return lines
    }

    private static func table(_ properties: [Property], within path: String = "") -> [String] {
        func rows(_ properties: [Property], _ path: String, isPartial: Bool = false) -> [String] {
            properties.flatMap { property in
                let type =
                    (property.type.isList ? "list of " : "") + (property.input == nil ? property.type.base : "object")
                    + (property.type.isNullable ? " or null" : "")
                let required = property.isRequired && !isPartial ? "required. " : ""
                return ["| `\(path)\(property.name)` | \(type) | \(required)\(property.explanation) |"]
                    + rows(
                        property.input?.properties ?? [],
                        "\(path)\(property.name).",
                        isPartial: isPartial || property.isPartial
                    )
            }
        }
        return ["| name | type | meaning |", "| --- | --- | --- |"] + rows(properties, path) + [""]
    }
}
