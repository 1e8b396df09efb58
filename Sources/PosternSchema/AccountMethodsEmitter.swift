/// Generates the handlers of the methods that every account API has, which call the rules.
struct AccountMethodsEmitter {
    private let contract: Contract
    private let apis: [API]
    private let results: [ObjectType]
    private let names: [String]

    init(_ contract: Contract) {
        self.contract = contract
        apis = contract.accountAPIs
        results = contract.accountResults
        names = contract.accountMethodNames
    }

    /// The path and text of every file.
    var files: [(String, String)] {
        [("Sources/Service/Generated/AccountMethodHandlers.swift", handlersText)]
    }

    private var handlersText: String {
        let extensions = apis.compactMap { api -> String? in
            let methods = api.accountMethods(named: names)
            guard !methods.isEmpty else { return nil }
            let functions = methods.map { handler(of: $0.method, calling: $0.name, of: api).indented }
            return "extension \(api.name.upperCamel)Handlers {\n"
                + functions.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n}"
        }
        return generatedMark + "import Accounts\n\n" + (extensions + origins).joined(separator: "\n\n") + "\n"
    }

    /// The conversions of the property `client`, which is of a type of its own in each API.
    private var origins: [String] {
        apis.map { api in
            """
            extension \(api.name.upperCamel)Wire.OriginInput {
                var fields: OriginFields { OriginFields(ip: ip, agent: agent) }
            }
            """
        }
    }

    private func handler(of method: Method, calling rule: String, of api: API) -> [String] {
        let wire = "\(api.name.upperCamel)Wire"
        var arguments = method.ownParams.map { param in
            // A param that is an object has a type of its own in the rules.
            let fields = param.input == nil ? "" : ".map { $0.fields }"
            return "\(param.name.lowerCamel): params.\(param.name.lowerCamel)\(fields)"
        }
        if let credential = credential(of: method, api) { arguments.insert(credential, at: 0) }
        let call = "try \(api.name).\(rule.lowerCamel)(\(arguments.joined(separator: ", ")))"
        let head = "func \(method.localName)(_ params: \(wire).\(method.localName.upperCamel)Params) throws"
        // The dispatch converts a result that password work precedes.
        if method.hashesPassword { return ["\(head) -> \(progress(of: method, rule, api)) {", "    \(call)", "}"] }
        guard let result = method.result else { return ["\(head) {", "    \(call)", "}"] }
        let value = contract.ruleTypes(of: api).contains(result) ? call : "\(wire).\(result)(\(call))"
        return ["\(head) -> \(wire).\(result) {", "    \(value)", "}"]
    }

    /// The type that a rule with password work returns.
    private func progress(of method: Method, _ rule: String, _ api: API) -> String {
        guard let result = method.result else { return "Progress<Void>" }
        return results.contains { $0.name == result } ? "Progress<Accounts.\(result)>" : "Progress<SecretToken>"
    }

    /// The credential of a request: its only param, or a struct with the params.
    private func credential(of method: Method, _ api: API) -> String? {
        let params = method.params.dropLast(method.ownParams.count).map(\.name.lowerCamel)
        guard params.count > 1 else { return params.first.map { "params.\($0)" } }
        let arguments = params.map { "\($0): params.\($0)" }.joined(separator: ", ")
        return "\(api.name.upperCamel).Credential(\(arguments))"
    }
}
