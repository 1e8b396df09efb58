/// Generates the code with which the trials of the Swift client call methods by name and compare results with JSON.
struct SwiftClientTrials {
    /// The dispatch from a method's name to its call.
    let calls: String
    /// The code that reads inputs from JSON and writes results as JSON.
    let forms: String

    init(_ contract: ClientContract) {
        let imports = ["JSON", "PosternClient"]
        calls = SwiftClientEmitter.file([Self.dispatch(contract.methods)], imports: imports)
        forms = SwiftClientEmitter.file(
            contract.enumerations.map { ["extension \($0.name): ChoiceValue {}"] } + contract.inputs.map(Self.reading)
                + contract.types.map(Self.writing),
            imports: imports
        )
    }

    private static func dispatch(_ methods: [ClientContract.ClientMethod]) -> [String] {
        let body =
            ["switch method {"] + methods.flatMap(branch)
            + ["default: return nil", "}"]
        let function =
            [
                "/// Calls a method through its typed form; nil if the params do not fit that form.",
                "func typedResult(of method: String, _ params: JSONValue) async throws(PosternError) -> JSONValue? {",
            ] + body.indented + ["}"]
        return ["extension Postern {"] + function.indented + ["}"]
    }

    private static func branch(_ method: ClientContract.ClientMethod) -> [String] {
        let path = method.path.map(\.lowerCamel).joined(separator: ".")
        let arguments = method.params.map { "\($0.name.lowerCamel): \($0.name.lowerCamel)" }
        let call = { (head: String, end: String) in
            SwiftClientEmitter.spread("\(head)try await \(path)", arguments, end, depth: 12)
        }
        let statements =
            switch method.result {
            case .nothing: call("", "") + ["return .null"]
            case .anyObject: call("return JSONValue(handedOn: ", ")")
            case .object: call("return ", ".json")
            }
        return ["case \"\(method.name)\":"] + (fitting(method.params, "params") + statements).indented
    }

    private static func reading(_ type: ClientContract.ClientType) -> [String] {
        let arguments = type.properties.map { "\($0.name.lowerCamel): \($0.name.lowerCamel)" }.joined(separator: ", ")
        let body = fitting(type.properties, "value") + ["self.init(\(arguments))"]
        return ["extension \(type.name): FittingValue {", "    init?(fitting value: JSONValue) {"]
            + body.indented.indented + ["    }", "}"]
    }

    /// The guard that reads the properties of an object. It fails if a required property is missing or another one is
    /// unknown.
    private static func fitting(_ properties: [ClientContract.ClientProperty], _ object: String) -> [String] {
        let names = properties.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let bindings = properties.map { property in
            let function = property.isOptional ? "optional" : "required"
            let type = property.swift.filter { $0 != "?" }
            return "let \(property.name.lowerCamel) = \(object).\(function)(\"\(property.name)\", \(type).self)"
        }
        let conditions = ["\(object).hasOnly([\(names)])"] + bindings
        return ["guard"] + conditions.commaSeparated.indented + ["else { return nil }"]
    }

    private static func writing(_ type: ClientContract.ClientType) -> [String] {
        let body = writeMethod(statements: type.properties.map(\.written).flatMap(writingStatements), access: "")
        return ["extension \(type.name): WrittenValue {"] + body.indented + ["}"]
    }
}
