/// Generates the methods of the Swift client, in nested groups by the parts of their names.
struct SwiftClientMethods {
    /// The name and text of the files: one per top-level group, and one with the properties that return the groups.
    let files: [(String, String)]

    init(_ contract: ClientContract) {
        let types = Dictionary(
            contract.types.map { ($0.name, $0.description) },
            uniquingKeysWith: { first, _ in first }
        )
        let properties = contract.groups.map { Self.property($0, postern: "self") }
        let entry = ["extension Postern {"] + Array(properties.joined(separator: [""])).indented + ["}"]
        files =
            [("Postern+Methods.swift", SwiftClientEmitter.file([entry]))]
            + contract.groups.map { group in
                let text = SwiftClientEmitter.file(Self.structs(group, types), imports: ["JSON"])
                return ("\(Self.typeName(group)).swift", text)
            }
    }

    /// A group's struct, followed by the structs of the groups in it.
    private static func structs(_ group: ClientContract.Group, _ types: [String: String]) -> [[String]] {
        let properties =
            [["let postern: Postern"]] + group.groups.map { property($0, postern: "postern") }
            + group.methods.map { method($0, types) }
        let declaration =
            SwiftClientEmitter.documentation(group.description).map { "/// \($0)" }
            + ["public struct \(typeName(group)): Sendable {"] + Array(properties.joined(separator: [""])).indented
            + ["}"]
        return [declaration] + group.groups.flatMap { structs($0, types) }
    }

    private static func property(_ group: ClientContract.Group, postern: String) -> [String] {
        SwiftClientEmitter.documentation(group.description).map { "/// \($0)" }
            + ["public var \(group.name.lowerCamel): \(typeName(group)) { \(typeName(group))(postern: \(postern)) }"]
    }

    private static func typeName(_ group: ClientContract.Group) -> String { group.path.upperCamel + "Methods" }

    private static func method(_ method: ClientContract.ClientMethod, _ types: [String: String]) -> [String] {
        let (callee, result) =
            switch method.result {
            case .nothing: ("perform(", "")
            case .anyObject: ("json(of: ", " -> String")
            case .object(let name): ("result(of: ", " -> \(name)")
            }
        let call = "try await postern.\(callee)\"\(method.name)\")"
        let writing = method.params.map(\.written).flatMap(writingStatements)
        let body = writing.isEmpty ? [call] : ["\(call) { writer in"] + writing.indented + ["}"]
        let signature = SwiftClientEmitter.spread(
            "public func \(method.localName.lowerCamel)",
            method.params.map { "\($0.name.lowerCamel): \($0.swift)" + ($0.isOptional ? " = nil" : "") },
            " async throws(PosternError)\(result) {",
            depth: 4
        )
        return documentation(of: method, types) + signature + body.indented + ["}"]
    }

    private static func documentation(
        of method: ClientContract.ClientMethod,
        _ types: [String: String]
    ) -> [String] {
        let nilIsNotNull =
            method.params.contains { $0.isNullable && $0.isOptional }
            ? " `nil` omits a param, and an empty string has the same effect as null." : ""
        var lines = SwiftClientEmitter.documentation(method.summary) + [""]
        lines += SwiftClientEmitter.documentation(method.description + nilIsNotNull) + [""]
        if !method.params.isEmpty {
            lines.append("- Parameters:")
            lines += method.params.flatMap { param in
                SwiftClientEmitter.documentation(
                    "- \(param.name.lowerCamel): \(param.explanation)",
                    indent: "  ",
                    hanging: "    "
                )
            }
        }
        switch method.result {
        case .nothing: break
        case .anyObject: lines.append("- Returns: The object, as JSON text.")
        case .object(let name):
            lines += SwiftClientEmitter.documentation("- Returns: \(types[name] ?? name)", hanging: "  ")
        }
        let slugs = method.errors.map { "`\($0.swiftName)`" }
        let own = slugs.isEmpty ? "" : "; its own slugs: \(slugs.joined(separator: ", "))"
        lines += SwiftClientEmitter.documentation("- Throws: `PosternError`\(own).", hanging: "  ")
        return lines.map { $0.isEmpty ? "///" : "/// \($0)" }
    }
}
