/// Generates the TypeScript declarations, with documentation, of the code from `NodeClientEmitter`.
struct NodeDeclarations {
    let methods: [String]
    let types: [String]

    init(_ contract: ClientContract) {
        methods = Self.methods(contract)
        types = Self.types(contract)
    }

    private static let lineLength = 120

    private static func methods(_ contract: ClientContract) -> [String] {
        let groups = contract.groups.flatMap(\.innerFirst).map(methodsInterface)
        let root =
            comment(["All methods, grouped by the parts of their names."])
            + ["export class Methods {", "  \(initializer)", ""]
            + contract.groups.flatMap(property).indentedByTwo + ["}"]
        let imports = [
            "import type { CallOptions } from \"../postern.js\";",
            "import type * as types from \"./types.js\";",
        ]
        return Array(([imports] + groups + [root]).joined(separator: [""]))
    }

    private static let initializer =
        "constructor(call: (method: string, params: unknown, shape: any, options?: CallOptions) => Promise<any>);"

    private static func methodsInterface(_ group: ClientContract.Group) -> [String] {
        let parts = group.groups.map(property) + group.methods.map(signature)
        return comment([group.description]) + ["export interface \(group.nodeName) {"]
            + Array(parts.joined(separator: [""])).indentedByTwo + ["}"]
    }

    private static func property(of group: ClientContract.Group) -> [String] {
        comment([group.description], depth: 1) + ["readonly \(group.name.lowerCamel): \(group.nodeName);"]
    }

    private static func signature(_ method: ClientContract.ClientMethod) -> [String] {
        var text = ["\(method.summary) \(method.description)\(method.isIdempotent ? " Idempotent." : "")"]
        if !method.errors.isEmpty {
            text += ["", "@throws " + method.errors.map { "errors.\($0.api).\($0.name)" }.joined(separator: ", ")]
        }
        let isOptional = method.params.allSatisfy(\.isOptional)
        let params = method.params.isEmpty ? [] : ["params\(isOptional ? "?" : ""): types.\(method.nodeParamsName)"]
        let result =
            switch method.result {
            case .nothing: "void"
            case .anyObject: "Record<string, unknown>"
            case .object(let name): "types.\(name)"
            }
        let declaration = declaration(of: method.localName.lowerCamel, params + ["options?: CallOptions"], result)
        return comment(text, depth: 1) + declaration
    }

    /// A method's name, parameters and result, on one line if it fits, otherwise with one parameter per line.
    private static func declaration(of name: String, _ parameters: [String], _ result: String) -> [String] {
        let line = "\(name)(\(parameters.joined(separator: ", "))): Promise<\(result)>;"
        if line.count + 2 <= lineLength { return [line] }
        return ["\(name)("] + parameters.map { "  \($0)," } + ["): Promise<\(result)>;"]
    }

    private static func types(_ contract: ClientContract) -> [String] {
        let times = [
            comment(["A day without a time: `2016-02-24`."])
                + ["export type CalendarDate = `${number}-${number}-${number}`;"],
            comment(["Unix time in whole seconds."]) + ["export type Epoch = number;"],
        ]
        let results = contract.types.map { interface($0.name, $0.description, $0.properties, isInput: false) }
        let inputs = contract.inputs.map { interface($0.name, $0.description, $0.properties, isInput: true) }
        let params = contract.methods.filter { !$0.params.isEmpty }.map { method in
            interface(method.nodeParamsName, "The params of `\(method.name)`.", method.params, isInput: true)
        }
        let enumerations = contract.enumerations.map { enumeration in
            comment([enumeration.description])
                + ["export type \(enumeration.name) = \(union(enumeration.values));"]
        }
        return Array((times + enumerations + results + inputs + params).joined(separator: [""]))
    }

    private static func interface(
        _ name: String,
        _ description: String,
        _ properties: [ClientContract.ClientProperty],
        isInput: Bool
    ) -> [String] {
        let lines = properties.flatMap { property in
            comment([property.description], depth: 1)
                + ["\(property.name)\(property.isOptional ? "?" : ""): \(type(of: property, isInput: isInput));"]
        }
        return comment([description]) + ["export interface \(name) {"] + lines.indentedByTwo + ["}"]
    }

    private static func type(of property: ClientContract.ClientProperty, isInput: Bool) -> String {
        let plain = property.isDate && !isInput ? "CalendarDate" : "string"
        let string = property.choices.isEmpty ? plain : property.wholeEnumeration ?? union(property.choices)
        let element = property.content.name(
            string: string,
            integer: "number",
            boolean: "boolean",
            time: isInput ? "Date | string" : "Date",
            epoch: "Epoch",
            anyObject: "Record<string, unknown>"
        )
        let list = isInput ? "ReadonlyArray<\(element)>" : "Array<\(element)>"
        return (property.isList ? list : element) + (property.isNullable ? " | null" : "")
            + (isInput && property.isOptional ? " | undefined" : "")
    }

    private static func union(_ values: [String]) -> String {
        values.map { "\"\($0)\"" }.joined(separator: " | ")
    }

    static func errorModules(_ contract: ClientContract) -> [String] {
        contract.errorGroups.map { "export * as \($0.api) from \"./errors/\($0.api).js\";" }
    }

    /// The errors of one API.
    static func errors(_ group: ClientContract.ErrorGroup) -> [String] {
        let classes = group.errors.map { error in
            comment([error.description]) + [
                "export class \(error.name) extends CallError {",
                "  static readonly slug: \"\(error.slug)\";",
                "  readonly name: \"\(error.name)\";",
                "  readonly slug: \"\(error.slug)\";",
                "}",
            ]
        }
        return Array(([["import { CallError } from \"../../errors.js\";"]] + classes).joined(separator: [""]))
    }

    /// A documentation comment, on one line if it fits.
    ///
    /// - Parameter depth: the indentation level of the comment.
    private static func comment(_ paragraphs: [String], depth: Int = 0) -> [String] {
        let room = lineLength - depth * 2
        if paragraphs.count == 1, paragraphs[0].count <= room - "/**  */".count { return ["/** \(paragraphs[0]) */"] }
        let lines = paragraphs.flatMap { $0.wrapped(to: room - " * ".count) }
        return ["/**"] + lines.map { $0.isEmpty ? " *" : " * \($0)" } + [" */"]
    }
}

extension ClientContract.ClientMethod {
    /// The name of the interface of its params.
    fileprivate var nodeParamsName: String { name.upperCamel + "Params" }
}
