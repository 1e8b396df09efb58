/// Generates the types of params and results of the Swift client.
struct SwiftClientTypes {
    /// The name and text of the files, one per API.
    let files: [(String, String)]

    init(_ contract: ClientContract) {
        let types =
            contract.enumerations.map { (name: $0.name, lines: Self.enumeration($0)) }
            + contract.types.map { (name: $0.name, lines: Self.result($0)) }
            + contract.inputs.map { (name: $0.name, lines: Self.input($0)) }
        // The service's own types belong to methods in several groups, so they are in a file `ServiceTypes.swift`.
        let apis = contract.groups.map(\.name.upperCamel)
        files = Dictionary(grouping: types) { type in apis.first { type.name.hasPrefix($0) } ?? "Service" }
            .map { ("\($0)Types.swift", SwiftClientEmitter.file($1.map(\.lines), imports: ["JSON"])) }
    }

    private static func enumeration(_ enumeration: Enumeration) -> [String] {
        let values = enumeration.values.map { value in
            "public static let \(value.lowerCamel) = \(enumeration.name)(rawValue: \"\(value)\")"
        }
        let known = enumeration.values.map { ".\($0.lowerCamel)" }.joined(separator: ", ")
        let body =
            values + [
                "", "/// All values of the contract.", "public static let known: [\(enumeration.name)] = [\(known)]",
                "",
            ]
            + ["/// The value as the service sends it.", "public let rawValue: String", ""]
            + ["/// Creates a value from the string that the service sends."]
            + ["public init(rawValue: String) {", "    self.rawValue = rawValue", "}"]
        return SwiftClientEmitter.documentation("\(enumeration.description) A newer service may have more values.")
            .map { "/// \($0)" } + ["public struct \(enumeration.name): Choice, ResultValue {"] + body.indented + ["}"]
    }

    private static func result(_ type: ClientContract.ClientType) -> [String] {
        let reading = ["init(reading reader: inout JSONReader) throws {"] + reading(type.properties).indented + ["}"]
        return head(of: type, protocols: "ResultValue, Equatable, Sendable")
            + (declaration(of: type) + [""] + reading).indented + ["}"] + redaction(of: type)
    }

    private static func input(_ type: ClientContract.ClientType) -> [String] {
        let writing = writeMethod(statements: type.properties.map(\.written).flatMap(writingStatements), access: "")
        return head(of: type, protocols: "Equatable, Sendable") + (declaration(of: type) + [""] + writing).indented
            + ["}"] + redaction(of: type)
    }

    /// The extension that hides secrets from `print`, `dump` and `String(reflecting:)`; no lines for a type without
    /// secrets.
    private static func redaction(of type: ClientContract.ClientType) -> [String] {
        guard type.properties.contains(where: \.isSecret) else { return [] }
        let children = type.properties.map { property in
            let name = property.name.lowerCamel
            // The compiler warns about an optional value that becomes an `Any` implicitly.
            let value = property.isOptional || property.isNullable ? "\(name) as Any" : name
            return "(\"\(name)\", \(property.isSecret ? "Redacted()" : value)),"
        }
        let mirror =
            ["public var customMirror: Mirror {", "    mirror(of: self, ["] + children.indented.indented
            + ["    ])", "}"]
        return [
            "", "extension \(type.name): CustomReflectable, CustomStringConvertible, CustomDebugStringConvertible {",
        ]
            + (["/// The properties, with secrets redacted."] + mirror + ["", "/// The mirror as text."]
            + ["public var description: String { debugText(of: customMirror, named: \"\(type.name)\") }"]
            + ["", "/// The mirror as text."] + ["public var debugDescription: String { description }"]).indented
            + ["}"]
    }

    private static func head(of type: ClientContract.ClientType, protocols: String) -> [String] {
        SwiftClientEmitter.documentation(type.description).map { "/// \($0)" }
            + ["public struct \(type.name): \(protocols) {"]
    }

    private static func declaration(of type: ClientContract.ClientType) -> [String] {
        let fields = type.properties.map(\.field)
        return declarations(of: fields, access: "public") + ["", "/// Creates a value from its properties."]
            + initialiser(of: fields, access: "public")
    }

    private static func reading(_ properties: [ClientContract.ClientProperty]) -> [String] {
        let variables = properties.map { property in
            // The variable of a required property is nil until the property is read. If it may also be null, it is a
            // double optional.
            "var \(property.name.lowerCamel): \(property.swift)\(property.isOptional ? "" : "?")"
        }
        let statements = properties.map { property in
            let function = property.isNullable ? "nullableValue" : "value"
            return (property.name, "\(property.name.lowerCamel) = try reader.\(function)(of: \"\(property.name)\")")
        }
        let assignments = properties.map { property in
            let name = property.name.lowerCamel
            return "self.\(name) = " + (property.isOptional ? name : "try required(\(name), \"\(property.name)\")")
        }
        return variables + readingStatements(of: statements) + assignments
    }
}
