/// Generates the Swift function that calls the handler of each method.
struct DispatchEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["import Accounts", "import JSON", "import JSONRPC", "", "extension Service {"]
        lines += [
            "    /// Reads a method's params, calls its handler and writes the result, or returns the slow work that it waits for."
        ]
        lines += [
            "    func callHandler(of method: Method, params: inout JSONReader, result writer: inout JSONWriter) throws -> SlowWork? {"
        ]
        lines += ["        switch method {"]
        for api in contract.apis {
            let ruleTypes = contract.ruleTypes(of: api)
            for method in api.methods {
                lines.append("        case .\(method.name.lowerCamel):")
                let params = "\(api.name.upperCamel)Wire.\(method.localName.upperCamel)Params(reading: &params)"
                let call = "\(api.handlers).\(method.localName)(\(params))"
                if method.name == "rpc.discover" {
                    lines.append("            try system.discover(to: &writer)")
                } else if method.hashesPassword {
                    let write =
                        method.result.map { result in
                            let value = ruleTypes.contains(result) ? "$0" : "\(api.name.upperCamel)Wire.\(result)($0)"
                            return "{ \(value).write(to: &$1) }"
                        }
                        ?? "{ _, writer in writer.null() }"
                    lines.append("            return try write(\(call), to: &writer) \(write)")
                } else if method.result == nil {
                    lines += ["            try \(call)", "            writer.null()"]
                } else {
                    lines.append("            try \(call).write(to: &writer)")
                }
            }
        }
        text =
            generatedMark + (lines + ["        }", "        return nil", "    }", "}"]).joined(separator: "\n") + "\n"
    }
}

extension API {
    /// The property of `Service` that has the handlers of its methods.
    fileprivate var handlers: String {
        if accounts != nil { return "handlers.\(name)" }
        return name == "service" ? "system" : name
    }
}
