/// Swift that lists the properties that the params of each method may have.
struct PropertiesEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["extension Method {", "    /// The properties that the method's params may have."]
        lines += ["    var properties: [Property] {", "        switch self {"]
        for method in contract.apis.flatMap(\.methods) {
            lines.append("        case .\(method.name.lowerCamel): \(Self.list(method.params))")
        }
        text = generatedMark + (lines + ["        }", "    }", "}"]).joined(separator: "\n") + "\n"
    }

    private static func list(_ members: [Member]) -> String {
        let properties = members.map { member in
            "Property(\"\(member.name)\"\(member.input.map { ", \(list($0.members))" } ?? ""))"
        }
        return "[\(properties.joined(separator: ", "))]"
    }
}
