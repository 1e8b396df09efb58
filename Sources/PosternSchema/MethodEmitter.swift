/// Generates the Swift table of methods.
struct MethodEmitter {
    let text: String

    init(_ contract: Contract) {
        let methods = contract.apis.flatMap { api in api.methods.map { (api, $0) } }
        var lines = ["package import Accounts", "package import JSON", ""]
        lines += ["/// The methods of the contract.", "package enum Method: Int, CaseIterable, Sendable {"]
        lines += methods.map { "    case \($0.1.name.lowerCamel)" }
        lines += [""]
        lines += Self.property("The method's name.", "name", "StaticString", methods) { "\"\($0.1.name)\"" }
        lines += [""]
        lines += Self.property("The method's API.", "api", "ErrorCode.API", methods) { ".\($0.0.name)" }
        lines += [""]
        let account: ((API, Method)) -> String = { $0.1.account?.swift ?? "nil" }
        lines += Self.property(
            "The param that identifies the account; nil for a method about no account.",
            "accountParam",
            "AccountParam?",
            methods,
            account
        )
        lines += [""]
        let hashes: ((API, Method)) -> String = { "\($0.1.hashesPassword)" }
        lines += Self.property("Whether it hashes or verifies a password.", "hashesPassword", "Bool", methods, hashes)
        lines += [""]
        let deterministicMode: ((API, Method)) -> String = { "\($0.1.isDeterministicOnly)" }
        let exists = "Whether it exists in deterministic mode only."
        lines += Self.property(exists, "isDeterministicOnly", "Bool", methods, deterministicMode)
        lines += [""]
        lines += Self.property("The properties of its params.", "params", "[ParamName]", methods) {
            "[" + Self.names($0.1.params).joined(separator: ", ") + "]"
        }
        lines += [
            "", "    /// The method with a name; nil for an unknown name.",
            "    package static func named(_ name: JSONText) -> Method? {",
        ]
        lines += ["        switch name.bytes.count {"]
        for (length, group) in Dictionary(grouping: methods, by: { $0.1.name.utf8.count }).sorted(by: {
            $0.key < $1.key
        }) {
            lines.append("        case \(length):")
            lines += group.map { "            if name.equals(\"\($0.1.name)\") { return .\($0.1.name.lowerCamel) }" }
        }
        lines += ["        default: break", "        }"]
        // A name with escapes is longer in JSON than its text, so the look-up by length misses it. No client writes
        // one; it is compared with every name.
        lines += ["        return name.hasEscapes ? allCases.first { name.equals($0.name) } : nil", "    }", "}"]
        text = generatedMark + lines.joined(separator: "\n") + "\n"
    }

    /// Swift expressions for the names of params and of the properties in them.
    private static func names(_ properties: [Property]) -> [String] {
        properties.map { property in
            let inner = property.input.map { names($0.properties) } ?? []
            let required = property.isRequired ? ", isRequired: true" : ""
            let host = property.isOfTools ? "" : ", isOfTools: false"
            let nested = inner.isEmpty ? "" : ", [" + inner.joined(separator: ", ") + "]"
            return "ParamName(\"\(property.name)\"\(required)\(host)\(nested))"
        }
    }

    private static func property(
        _ summary: String,
        _ name: String,
        _ type: String,
        _ methods: [(API, Method)],
        _ value: ((API, Method)) -> String
    ) -> [String] {
        let cases = methods.map { "        case .\($0.1.name.lowerCamel): \(value($0))" }
        return ["    /// \(summary)", "    package var \(name): \(type) {", "        switch self {"] + cases
            + ["        }", "    }"]
    }
}
