import JSON

/// Converts names of the contract to Swift names.
extension StringProtocol {
    /// `user_id` → `userID`.
    var lowerCamel: String {
        let words = split { $0 == "_" || $0 == "." }
        return words.enumerated().map { index, word in
            index == 0 ? String(word) : word == "id" ? "ID" : word.prefix(1).uppercased() + word.dropFirst()
        }.joined()
    }

    /// `client_create` → `ClientCreate`.
    var upperCamel: String {
        let lower = lowerCamel
        return lower.prefix(1).uppercased() + lower.dropFirst()
    }
}

extension String {
    /// `PatientResult` → `patientResult`.
    var lowerFirst: String { prefix(1).lowercased() + dropFirst() }
}

extension TypeName {
    /// The Swift type in the server.
    var swift: String {
        let element =
            switch base {
            case "string": "String"
            case "integer", "epoch": "Int"
            case "boolean": "Bool"
            case "time": "Timestamp"
            case "object": "CompactObject"
            default: base
            }
        return (isList ? "[\(element)]" : element) + (isNullable ? "?" : "")
    }
}

/// The first lines of every generated Swift file.
let generatedMark = """
    // \(generatedWords)
    // swift-format-ignore-file

    """ + "\n"

/// A property, with the facts that decide the code that writes it.
struct WrittenProperty {
    let name: String
    /// The method of `JSONWriter` that writes one value; nil for an object, which has a `write` method.
    let writerMethod: String?
    let isList: Bool
    let isNullable: Bool
    let isOptional: Bool
    /// The constant value as JSON text; nil if the value varies.
    let constant: String?
}

extension Property {
    var written: WrittenProperty {
        WrittenProperty(
            name: name,
            writerMethod: ["string": "string", "integer": "int", "epoch": "int", "boolean": "bool"][type.base],
            isList: type.isList,
            isNullable: type.isNullable,
            isOptional: isOptional,
            constant: constant?.text
        )
    }
}

/// The statements that write one property of an object.
func writingStatements(of property: WrittenProperty) -> [String] {
    let name = property.name.lowerCamel
    let head = "writer.property(\"\(property.name)\")"
    if let constant = property.constant { return [head, "writer.bool(\(constant))"] }
    let simple = property.writerMethod
    if property.isList {
        let each = simple.map { "writer.\($0)(element)" } ?? "element.write(to: &writer)"
        return [head, "writer.beginArray()", "for element in \(name) { \(each) }", "writer.endArray()"]
    }
    let write = simple.map { "writer.\($0)(\(name))" } ?? "\(name).write(to: &writer)"
    if property.isOptional {
        return ["if let \(name) {", "    \(head)", "    \(write)", "}"]
    }
    if property.isNullable, simple == nil {
        return [head, "if let \(name) { \(write) } else { writer.null() }"]
    }
    return [head, write]
}

/// The statements that read an object's properties in any order and skip unknown ones.
///
/// - Parameters:
///   - properties: the properties, each with the statement that reads it.
///   - skipping: the statement that skips an unknown property.
///   - entering: returns a statement to run before the property with a number is read; nil for none.
func readingStatements(
    of properties: [(name: String, statement: String)],
    skipping: String = "try reader.skip()",
    entering: ((Int) -> String)? = nil
) -> [String] {
    var lines = ["try reader.beginObject()", "while let propertyName = try reader.nextProperty() {"]
    for (index, property) in properties.enumerated() {
        lines.append("    \(index == 0 ? "if" : "} else if") propertyName.equals(\"\(property.name)\") {")
        if let entering { lines.append("        " + entering(index)) }
        lines.append("        " + property.statement)
    }
    return lines + ["    } else {", "        " + skipping, "    }", "}"]
}

/// A stored property of a Swift struct.
struct Field {
    /// The lines of its documentation, without slashes.
    let documentation: [String]
    let name: String
    let type: String
    /// The default value in the initialiser; nil if the argument is required.
    var standard: String?
}

/// The declarations of the stored properties for an object, and the memberwise initialiser.
func memberwiseDeclarations(of properties: [Property]) -> [String] {
    let fields = properties.filter { $0.constant == nil }.map { property in
        Field(
            documentation: [property.explanation],
            name: property.name.lowerCamel,
            type: property.type.swift + (property.isOptional && !property.type.isNullable ? "?" : "")
        )
    }
    return declarations(of: fields, access: "package") + [""] + initialiser(of: fields, access: "package")
}

/// The declarations of stored properties.
func declarations(of fields: [Field], access: String) -> [String] {
    fields.flatMap { field in
        field.documentation.map { "/// \($0)" } + ["\(access) var \(field.name): \(field.type)"]
    }
}

/// The memberwise initialiser.
func initialiser(of fields: [Field], access: String) -> [String] {
    let parameters = fields.map { field in
        "    \(field.name): \(field.type)" + (field.standard.map { " = \($0)" } ?? "")
    }
    let assignments = fields.map { "    self.\($0.name) = \($0.name)" }
    return ["\(access) init("] + parameters.commaSeparated + [") {"] + assignments + ["}"]
}

/// The method that writes an object.
func writeMethod(of properties: [Property]) -> [String] {
    writeMethod(statements: properties.map(\.written).flatMap(writingStatements))
}

/// The method that writes an object, from the statements that write its properties.
func writeMethod(statements: [String], access: String = "package ") -> [String] {
    ["\(access)func write(to writer: inout JSONWriter) {", "    writer.beginObject()"] + statements.indented
        + ["    writer.endObject()", "}"]
}

extension [String] {
    /// The lines, indented by one level.
    var indented: [String] { map { $0.isEmpty ? "" : "    " + $0 } }

    /// The lines with a comma after each except the last.
    var commaSeparated: [String] { dropLast().map { $0 + "," } + suffix(1) }
}
