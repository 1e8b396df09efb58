/// Generates the contract's part of the Swift client, and the dispatch of its trials to the typed methods.
struct SwiftClientEmitter {
    /// The path and text of every file.
    let files: [(String, String)]

    init(_ contract: ClientContract) {
        let sources = "clients/swift/Sources/PosternClient/Generated"
        let trials = "clients/swift/Trials/Generated"
        let generated = SwiftClientTypes(contract).files + SwiftClientMethods(contract).files
        files =
            generated.sorted { $0.0 < $1.0 }.map { ("\(sources)/\($0)", $1) } + [
                ("\(sources)/ErrorSlug+Known.swift", Self.slugs(contract)),
                ("\(sources)/Limits+Contract.swift", Self.limits(contract)),
                ("\(trials)/TypedCalls.swift", SwiftClientTrials(contract).calls),
                ("\(trials)/JSONForms.swift", SwiftClientTrials(contract).forms),
            ]
    }

    private static func slugs(_ contract: ClientContract) -> String {
        let apis =
            ["/// The APIs. Each has its own errors.", "public enum API: String, Sendable {"]
            + ["    case \(contract.errorGroups.map(\.api).joined(separator: ", "))", "}"]
        let known =
            [
                "/// All slugs of the contract.",
                "public static let known: [ErrorSlug] = [",
            ] + contract.errorGroups.flatMap(\.errors).map { "    \($0.swiftName)," } + ["]"]
        let body = Array(([apis] + contract.errorGroups.map(slugs) + [known]).joined(separator: [""]))
        return file([["extension ErrorSlug {"] + body.indented + ["}"]])
    }

    private static func slugs(of group: ClientContract.ErrorGroup) -> [String] {
        let statics = group.errors.flatMap { error in
            documentation(error.description).map { "/// \($0)" }
                + ["public static let \(error.slug.lowerCamel) = ErrorSlug(.\(error.api), \"\(error.slug)\")"]
        }
        return ["/// \(group.title).", "public enum \(group.api.upperCamel) {"] + statics.indented + ["}"]
    }

    private static func limits(_ contract: ClientContract) -> String {
        file([
            [
                "extension Limits {",
                "    /// \(ClientContract.messageBytesMeaning)",
                "    static let messageBytesMax = \(contract.messageBytesMax.grouped(by: "_"))",
                "    /// \(ClientContract.nestingDepthMeaning)",
                "    static let nestingDepthMax = \(contract.nestingDepthMax)",
                "    /// \(ClientContract.versionMeaning)",
                "    static let contractVersion = \"\(contract.version)\"",
                "}",
            ]
        ])
    }

    /// The text of a file with declarations, each given as its lines.
    static func file(_ declarations: [[String]], imports: [String] = []) -> String {
        let head = imports.map { "import \($0)" }
        let blocks = (head.isEmpty ? [] : [head]) + declarations
        return generatedMark + blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// The lines of a comment, which stay within 120 columns at one level of indentation.
    ///
    /// - Parameters:
    ///   - indent: the spaces before the first line.
    ///   - hanging: the spaces before the other lines.
    static func documentation(_ text: String, indent: String = "", hanging: String = "") -> [String] {
        text.wrapped(to: 111 - max(indent.count, hanging.count)).enumerated().map { index, line in
            (index == 0 ? indent : hanging) + line
        }
    }

    /// A call or the head of a function, on one line if it fits in 120 columns.
    ///
    /// - Parameter depth: the number of columns before it.
    static func spread(_ head: String, _ arguments: [String], _ end: String, depth: Int) -> [String] {
        let line = "\(head)(\(arguments.joined(separator: ", ")))\(end)"
        return depth + line.count <= 120 ? [line] : ["\(head)("] + arguments.commaSeparated.indented + [")\(end)"]
    }
}

extension ClientContract.ClientProperty {
    /// The Swift type of a value.
    var swift: String {
        let element = content.name(
            string: enumeration?.name ?? "String",
            integer: "Int",
            boolean: "Bool",
            anyObject: "JSONObject"
        )
        return (isList ? "[\(element)]" : element) + (isNullable || isOptional ? "?" : "")
    }

    /// The description, with the format or the choices that the Swift type does not show.
    var explanation: String { ([description] + choiceNotes + contentNotes).joined(separator: " ") }

    var field: Field {
        Field(
            documentation: SwiftClientEmitter.documentation(explanation),
            name: name.lowerCamel,
            type: swift,
            standard: isOptional ? "nil" : nil
        )
    }

    var written: WrittenProperty {
        let writerMethod: String? =
            switch content {
            case .string where enumeration != nil: nil
            case .string, .time: "string"
            case .integer, .epoch: "int"
            case .boolean: "bool"
            case .anyObject, .object: nil
            }
        return WrittenProperty(
            name: name,
            writerMethod: writerMethod,
            isList: isList,
            isNullable: isNullable,
            isOptional: isOptional,
            constant: nil
        )
    }
}

extension ClientContract.ClientError {
    /// `Operators.wrongPassword`
    var swiftName: String { "\(api.upperCamel).\(slug.lowerCamel)" }
}
