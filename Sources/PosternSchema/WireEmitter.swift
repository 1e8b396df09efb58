/// Generates the Swift types of one API's params and results.
struct WireEmitter {
    let text: String

    /// - Parameters:
    ///   - accountResults: the results of the methods that every account API has, which the rules return.
    ///   - ruleTypes: the names of the types that the rules have in the same form.
    init(_ api: API, accountResults: [ObjectType], ruleTypes: Set<String>) {
        let params = api.methods.map { method in
            ObjectType(
                name: "\(method.localName.upperCamel)Params",
                description: "The params of `\(method.name)`.",
                properties: method.params
            )
        }
        let bases = Set(api.types.compactMap(\.base))
        let blocks =
            api.types.map { type in
                if ruleTypes.contains(type.name) { return Self.alias(type) }
                return Self.result(
                    type,
                    isBase: bases.contains(type.name),
                    isOfRules: accountResults.contains { $0.name == type.name },
                    ruleTypes: ruleTypes
                )
            } + (api.inputs + params).map(Self.params)
        let body = blocks.map { $0.indented.joined(separator: "\n") }.joined(separator: "\n\n")
        text =
            generatedMark + "package import Accounts\npackage import JSON\n\n/// \(api.title), on the wire.\n"
            + "package enum \(api.name.upperCamel)Wire {\n" + body + "\n}\n"
    }

    /// - Parameters:
    ///   - isBase: whether other types extend the type and write its properties before their own.
    ///   - isOfRules: whether a rule returns the type in another form.
    ///   - ruleTypes: the names of the types that the rules have in the same form.
    private static func result(
        _ type: ObjectType,
        isBase: Bool,
        isOfRules: Bool,
        ruleTypes: Set<String>
    ) -> [String] {
        let body: [String]
        if let base = type.base {
            let name = base.lowerFirst
            body =
                ["/// The properties of the base type.", "package var \(name): \(base)", ""]
                + ["package init(_ \(name): \(base)) {", "    self.\(name) = \(name)", "}", ""]
                + writeMethod(
                    statements: ["\(name).writeProperties(to: &writer)"]
                        + type.ownProperties.map(\.written).flatMap(writingStatements)
                )
        } else if isBase {
            let statements = type.properties.map(\.written).flatMap(writingStatements)
            body =
                memberwiseDeclarations(of: type.properties) + [""]
                + writeMethod(statements: ["writeProperties(to: &writer)"]) + [""]
                + ["func writeProperties(to writer: inout JSONWriter) {"] + statements.indented + ["}"]
        } else {
            body =
                memberwiseDeclarations(of: type.properties) + [""]
                + (isOfRules ? conversion(of: type, ruleTypes) + [""] : []) + writeMethod(of: type.properties)
        }
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    /// A type that the wire shows as the rules have it.
    private static func alias(_ type: ObjectType) -> [String] {
        ["/// \(type.description)", "package typealias \(type.name) = Accounts.\(type.name)"]
    }

    /// The initialiser from the result of a rule.
    private static func conversion(of type: ObjectType, _ ruleTypes: Set<String>) -> [String] {
        let plain = ruleTypes.union(["string", "integer", "epoch", "boolean", "time", "object"])
        let assignments = type.properties.filter { $0.constant == nil }.map { property in
            let name = property.name.lowerCamel
            guard !plain.contains(property.type.base) else { return "    \(name) = result.\(name)" }
            let isMapped = property.type.isList || property.type.isNullable || property.isOptional
            let element = "\(property.type.base)(\(isMapped ? "$0" : "result.\(name)"))"
            return isMapped ? "    \(name) = result.\(name).map { \(element) }" : "    \(name) = \(element)"
        }
        return ["package init(_ result: Accounts.\(type.name)) {"] + assignments + ["}"]
    }

    private static func params(_ type: ObjectType) -> [String] {
        let declarations = type.properties.flatMap { property in
            [
                "/// \(property.explanation)",
                "package var \(property.name.lowerCamel): Given<\(given(property))> = .absent",
            ]
        }
        let body = declarations + (declarations.isEmpty ? [] : [""]) + reading(type.properties)
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    /// The type of a param's value.
    private static func given(_ property: Property) -> String {
        if property.isPassword { return "Password" }
        return property.isBearerToken ? "BearerToken" : TypeName(property.type.base).swift
    }

    private static func reading(_ properties: [Property]) -> [String] {
        let head = "package init(reading reader: inout JSONReader) throws(JSONError) {"
        guard !properties.isEmpty else { return [head, "    try reader.skipUnique()", "}"] }
        let statements = properties.map { property in
            let value = property.input.map { "object: &reader, \($0.name).init" } ?? "reading: &reader"
            return (property.name, "\(property.name.lowerCamel) = try Given(\(value))")
        }
        let lines =
            ["var seen = SeenProperties()"]
            + readingStatements(
                of: statements,
                skipping: "try seen.skip(propertyName, &reader)",
                entering: { "try seen.insert(\($0), propertyName, reader)" }
            )
        return [head] + lines.indented + ["}"]
    }
}
