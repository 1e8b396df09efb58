/// Swift for what one API takes and gives on the wire.
struct WireEmitter {
    let text: String

    init(_ api: API) {
        var blocks = api.types.map(Self.result)
        for method in api.methods {
            let params = ObjectType(
                name: "\(method.localName.upperCamel)Params",
                description: "The params of `\(method.name)`.",
                members: method.params
            )
            blocks += Self.params(params)
        }
        let body = blocks.map { $0.indented.joined(separator: "\n") }.joined(separator: "\n\n")
        text =
            generatedMark + "package import Accounts\npackage import JSON\n\n/// \(api.title), on the wire.\n"
            + "package enum \(api.name.upperCamel)Wire {\n" + body + "\n}\n"
    }

    private static func result(_ type: ObjectType) -> [String] {
        let body = memberwiseDeclarations(of: type.members) + [""] + writeMethod(of: type.members)
        return ["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]
    }

    /// A struct of params, and before it one for each object within.
    private static func params(_ type: ObjectType) -> [[String]] {
        let nested = type.members.filter { !$0.members.isEmpty }.flatMap { member in
            params(
                ObjectType(
                    name: nestedName(member, in: type),
                    description: "The member `\(member.name)` of \(type.description.prefix(1).lowercased())"
                        + type.description.dropFirst(),
                    members: member.members
                )
            )
        }
        var body = type.members.flatMap { member in
            [
                "/// \(member.description)",
                "package var \(member.name.lowerCamel): Given<\(swiftType(of: member, in: type))> = .absent",
            ]
        }
        body += [""]
        body += ["package init(reading reader: inout JSONReader) throws(JSONError) {", "    try reader.beginObject()"]
        body += ["    while let memberName = try reader.nextMember() {"]
        for (index, member) in type.members.enumerated() {
            body.append("        \(index == 0 ? "if" : "} else if") memberName.equals(\"\(member.name)\") {")
            if member.members.isEmpty {
                body.append("            \(member.name.lowerCamel) = try Given(reading: &reader)")
            } else {
                let nested = nestedName(member, in: type)
                body.append("            \(member.name.lowerCamel) = try Given(object: &reader, \(nested).init)")
            }
        }
        if type.members.isEmpty {
            body = ["package init(reading reader: inout JSONReader) throws(JSONError) {", "    try reader.skip()", "}"]
        } else {
            body += ["        } else {", "            try reader.skip()", "        }", "    }", "}"]
        }
        return nested + [["/// \(type.description)", "package struct \(type.name) {"] + body.indented + ["}"]]
    }

    private static func nestedName(_ member: Member, in type: ObjectType) -> String {
        type.name + member.name.upperCamel
    }

    private static func swiftType(of member: Member, in type: ObjectType) -> String {
        member.members.isEmpty ? TypeName(member.type.base).swift : nestedName(member, in: type)
    }
}
