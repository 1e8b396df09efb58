/// Generates the JavaScript of the Node client: the methods in their groups, the shapes of results, and the errors.
/// `NodeDeclarations` generates their types.
struct NodeClientEmitter {
    /// The path and text of every file.
    let files: [(String, String)]

    private static let folder = "clients/node/lib/generated"

    init(_ contract: ClientContract) {
        let declarations = NodeDeclarations(contract)
        let general = [
            ("methods.js", Self.methods(contract)),
            ("methods.d.ts", declarations.methods),
            ("types.d.ts", declarations.types),
            ("results.js", Self.results(contract)),
            ("errors.js", Self.errorModules(contract)),
            ("errors.d.ts", NodeDeclarations.errorModules(contract)),
            ("limits.js", Self.limits(contract)),
            ("idempotent.js", Self.idempotent(contract)),
        ]
        let errors = contract.errorGroups.flatMap { group in
            [
                ("errors/\(group.api).js", Self.errors(group)),
                ("errors/\(group.api).d.ts", NodeDeclarations.errors(group)),
            ]
        }
        files = (general + errors).map { name, lines in
            let strict = name.hasSuffix(".d.ts") ? "" : "\"use strict\";\n\n"
            return ("\(Self.folder)/\(name)", Self.mark + strict + lines.joined(separator: "\n") + "\n")
        }
    }

    private static let mark = "// \(generatedWords)\n\n"

    private static func methods(_ contract: ClientContract) -> [String] {
        let classes = contract.groups.flatMap(\.innerFirst).map(methodsClass)
        let root = ["class Methods {"] + initializer(of: contract.groups, keepsCall: false).indentedByTwo + ["}"]
        let imports = ["const results = require(\"./results.js\");"]
        return Array(([imports] + classes + [root, exports(["Methods"])]).joined(separator: [""]))
    }

    private static func methodsClass(_ group: ClientContract.Group) -> [String] {
        var body: [String] = []
        if !group.methods.isEmpty { body += ["#call;", ""] }
        body += initializer(of: group.groups, keepsCall: !group.methods.isEmpty)
        for method in group.methods { body += [""] + methodDefinition(method) }
        return ["class \(group.nodeName) {"] + body.indentedByTwo + ["}"]
    }

    private static func initializer(of groups: [ClientContract.Group], keepsCall: Bool) -> [String] {
        let keep = keepsCall ? ["this.#call = call;"] : []
        let inner = groups.map { "this.\($0.name.lowerCamel) = new \($0.nodeName)(call);" }
        return ["constructor(call) {"] + (keep + inner).indentedByTwo + ["}"]
    }

    private static func methodDefinition(_ method: ClientContract.ClientMethod) -> [String] {
        let hasParams = !method.params.isEmpty
        let result =
            switch method.result {
            case .nothing: "results.nothing"
            case .anyObject: "results.anyObject"
            case .object(let name): "results.\(name)"
            }
        return [
            "\(method.localName.lowerCamel)(\(hasParams ? "params, " : "")options) {",
            "  return this.#call(\"\(method.name)\", \(hasParams ? "params" : "undefined"), \(result), options);",
            "}",
        ]
    }

    private static func results(_ contract: ClientContract) -> [String] {
        let shapes = contract.types.map { type in
            ["const \(type.name) = {"] + type.properties.map { "  \($0.name): \(shape(of: $0))," } + ["};"]
        }
        let fixed = [["const nothing = null;"], ["const anyObject = {};"]]
        let names = ["nothing", "anyObject"] + contract.types.map(\.name)
        return Array((fixed + shapes + [exports(names)]).joined(separator: [""]))
    }

    private static func shape(of property: ClientContract.ClientProperty) -> String {
        let type = property.content.name(
            string: "\"string\"",
            integer: "\"integer\"",
            boolean: "\"boolean\"",
            time: "\"time\"",
            anyObject: "\"object\""
        )
        let traits = [
            ("list", property.isList), ("nullable", property.isNullable), ("optional", property.isOptional),
            ("secret", property.isSecret),
        ]
        return "{ type: \(type)" + traits.filter(\.1).map { ", \($0.0): true" }.joined() + " }"
    }

    private static func errorModules(_ contract: ClientContract) -> [String] {
        let modules = contract.errorGroups.map { "  \($0.api): require(\"./errors/\($0.api).js\")," }
        return ["module.exports = {"] + modules + ["};"]
    }

    private static func errors(_ group: ClientContract.ErrorGroup) -> [String] {
        let classes = group.errors.map { error in
            [
                "class \(error.name) extends CallError {",
                "  static slug = \"\(error.slug)\";",
                "",
                "  get name() {",
                "    return \"\(error.name)\";",
                "  }",
                "}",
            ]
        }
        let imports = ["const { CallError } = require(\"../../errors.js\");"]
        return Array(([imports] + classes + [exports(group.errors.map(\.name))]).joined(separator: [""]))
    }

    private static func limits(_ contract: ClientContract) -> [String] {
        [
            "/** \(ClientContract.messageBytesMeaning) */",
            "const messageBytesMax = \(contract.messageBytesMax);",
            "",
            "/** \(ClientContract.nestingDepthMeaning) */",
            "const messageDepthMax = \(contract.nestingDepthMax);",
            "",
            "/** The method whose reply shows that the process is ready. */",
            "const readinessMethod = \"system.info\";",
            "",
            "/** \(ClientContract.versionMeaning) */",
            "const contractVersion = \"\(contract.version)\";",
            "",
        ] + exports(["messageBytesMax", "messageDepthMax", "readinessMethod", "contractVersion"])
    }

    private static func idempotent(_ contract: ClientContract) -> [String] {
        func set(_ name: String, _ methods: [ClientContract.ClientMethod], _ meaning: String) -> [String] {
            ["/** \(meaning) */", "const \(name) = new Set(["] + methods.map { "  \"\($0.name)\"," } + ["]);", ""]
        }
        return set("readOnlyMethods", contract.methods.filter(\.isReadOnly), ClientContract.readOnlyMeaning)
            + set("idempotentMethods", contract.methods.filter(\.isIdempotent), ClientContract.idempotentMeaning)
            + exports(["readOnlyMethods", "idempotentMethods"])
    }

    /// The statement that exports names from a CommonJS module.
    private static func exports(_ names: [String]) -> [String] {
        ["module.exports = {"] + names.map { "  \($0)," } + ["};"]
    }
}

extension ClientContract.Group {
    /// The name of the class of its methods.
    var nodeName: String { path.upperCamel + "Methods" }
}

extension [String] {
    /// The lines, indented by one level of JavaScript.
    var indentedByTwo: [String] { map { $0.isEmpty ? "" : "  " + $0 } }
}
