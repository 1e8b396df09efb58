/// Generates the Swift structs of stored records, with their reading and writing code.
struct RecordsEmitter {
    let text: String

    init(_ records: Contract.Records) {
        let structs = records.records.map { Self.lines(of: $0).joined(separator: "\n") }
        text = generatedMark + "package import JSON\n\n" + structs.joined(separator: "\n\n") + "\n"
    }

    private static func lines(of type: ObjectType) -> [String] {
        let body =
            memberwiseDeclarations(of: type.properties) + [""] + reading(type.properties) + [""]
            + writeMethod(of: type.properties)
        return ["/// \(type.description)", "package struct \(type.name): Equatable, Sendable {"] + body.indented + ["}"]
    }

    private static func reading(_ properties: [Property]) -> [String] {
        var lines = ["package init(reading reader: inout JSONReader) throws(JSONError) {"]
        lines += properties.map { "    var \($0.name.lowerCamel): \(TypeName($0.type.base).swift)?" }
        lines += readingStatements(of: properties.map { ($0.name, statement(reading: $0)) }).indented
        let required = properties.filter { !$0.type.isNullable && !$0.isOptional }.map { "let \($0.name.lowerCamel)" }
        if !required.isEmpty {
            lines += ["    guard " + required.joined(separator: ", ") + " else {"]
            lines += ["        throw JSONError(.typeMismatch, at: reader.offset)", "    }"]
        }
        lines += properties.map { "    self.\($0.name.lowerCamel) = \($0.name.lowerCamel)" }
        return lines + ["}"]
    }

    private static func statement(reading property: Property) -> String {
        let value =
            switch property.type.base {
            case "string": "try reader.text().string"
            case "integer": "try reader.int()"
            case "boolean": "try reader.bool()"
            default: "try \(TypeName(property.type.base).swift)(reading: &reader)"
            }
        let assignment = "\(property.name.lowerCamel) = \(value)"
        guard property.type.isNullable else { return assignment }
        return "if try reader.kind() == .null { try reader.null() } else { \(assignment) }"
    }
}
