/// Swift for what one API takes and gives on the wire.
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
        let blocks = api.types.map(Self.result) + (api.inputs + params).map(Self.params)
        let body = blocks.map { $0.indented.joined(separator: "\n") }.joined(separator: "\n\n")
        text =
            generatedMark + "package import Accounts\npackage import JSON\n\n/// \(api.title), on the wire.\n"
            + "package enum \(api.name.upperCamel)Wire {\n" + body + "\n}\n"
    }

    private static func result(_ type: ObjectType) -> [String] {
        let body = memberwiseDeclarations(of: type.members) + [""] + writeMethod(of: type.members)
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    private static func params(_ type: ObjectType) -> [String] {
        let declarations = type.members.flatMap { member in
            [
                "/// \(member.description)",
                "package var \(member.name.lowerCamel): Given<\(TypeName(member.type.base).swift)> = .absent",
            ]
        }
        let body = declarations + (declarations.isEmpty ? [] : [""]) + reading(type.members)
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    private static func reading(_ members: [Member]) -> [String] {
        let head = "package init(reading reader: inout JSONReader) throws(JSONError) {"
        guard !members.isEmpty else { return [head, "    try reader.skip()", "}"] }
        var lines = [head, "    try reader.beginObject()", "    while let memberName = try reader.nextMember() {"]
        for (index, member) in members.enumerated() {
            lines.append("        \(index == 0 ? "if" : "} else if") memberName.equals(\"\(member.name)\") {")
            let value = member.input.map { "object: &reader, \($0.name).init" } ?? "reading: &reader"
            lines.append("            \(member.name.lowerCamel) = try Given(\(value))")
        }
        return lines + ["        } else {", "            try reader.skip()", "        }", "    }", "}"]
    }
}
