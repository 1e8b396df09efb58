/// Generates the Swift types of one API's params and results.
struct WireEmitter {
    let text: String

    init(_ api: API) {
        let params = api.methods.map { method in
            ObjectType(
                name: "\(method.localName.upperCamel)Params",
                description: "The params of `\(method.name)`.",
                members: method.params
            )
        }
        let bases = Set(api.types.compactMap(\.base))
        let blocks =
            api.types.map { Self.result($0, isBase: bases.contains($0.name)) } + (api.inputs + params).map(Self.params)
        let body = blocks.map { $0.indented.joined(separator: "\n") }.joined(separator: "\n\n")
        text =
            generatedMark + "package import Accounts\npackage import JSON\n\n/// \(api.title), on the wire.\n"
            + "package enum \(api.name.upperCamel)Wire {\n" + body + "\n}\n"
    }

    /// - Parameter isBase: whether other types extend the type and write its properties before their own.
    private static func result(_ type: ObjectType, isBase: Bool) -> [String] {
        let body: [String]
        if let base = type.base {
            let name = base.lowerFirst
            body =
                ["/// The properties of the base type.", "package var \(name): \(base)", ""]
                + ["package init(_ \(name): \(base)) {", "    self.\(name) = \(name)", "}", ""]
                + writeMethod(
                    statements: ["\(name).writeMembers(to: &writer)"]
                        + type.ownMembers.map(\.written).flatMap(writingStatements)
                )
        } else if isBase {
            let statements = type.members.map(\.written).flatMap(writingStatements)
            body =
                memberwiseDeclarations(of: type.members) + [""]
                + writeMethod(statements: ["writeMembers(to: &writer)"]) + [""]
                + ["func writeMembers(to writer: inout JSONWriter) {"] + statements.indented + ["}"]
        } else {
            body = memberwiseDeclarations(of: type.members) + [""] + writeMethod(of: type.members)
        }
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    private static func params(_ type: ObjectType) -> [String] {
        let declarations = type.members.flatMap { member in
            [
                "/// \(member.description)",
                "package var \(member.name.lowerCamel): Given<\(member.isPassword ? "Password" : TypeName(member.type.base).swift)> = .absent",
            ]
        }
        let body = declarations + (declarations.isEmpty ? [] : [""]) + reading(type.members)
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    private static func reading(_ members: [Member]) -> [String] {
        let head = "package init(reading reader: inout JSONReader) throws(JSONError) {"
        guard !members.isEmpty else { return [head, "    try reader.skipUnique()", "}"] }
        let statements = members.map { member in
            let value = member.input.map { "object: &reader, \($0.name).init" } ?? "reading: &reader"
            return (member.name, "\(member.name.lowerCamel) = try Given(\(value))")
        }
        let lines =
            ["var seen = SeenMembers()"]
            + readingStatements(
                of: statements,
                skipping: "try seen.skip(memberName, &reader)",
                entering: { "try seen.insert(\($0), memberName, reader)" }
            )
        return [head] + lines.indented + ["}"]
    }
}
