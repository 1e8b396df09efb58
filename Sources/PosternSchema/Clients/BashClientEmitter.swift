/// Generates the tables of the Bash client: the params and results of methods, and the types of results.
struct BashClientEmitter {
    private let contract: ClientContract

    init(_ contract: ClientContract) {
        self.contract = contract
    }

    /// The generated files of clients/bash, by path, with their text.
    var files: [(String, String)] {
        [("clients/bash/lib/methods.bash", methodsText), ("clients/bash/lib/types.jq", typesText)]
    }

    /// Two tables by method. The comment above an entry documents the method; `postern_help` prints it.
    private var methodsText: String {
        var lines = [Self.mark, "# shellcheck shell=bash", ""]
        lines += ["# \(ClientContract.messageBytesMeaning)"]
        lines += ["_POSTERN_MESSAGE_BYTES_MAX=\(contract.messageBytesMax)", ""]
        lines += ["# \(ClientContract.versionMeaning)", "_POSTERN_CONTRACT_VERSION=\(contract.version)", ""]
        lines += ["# By method, its params and their types, one per line."]
        lines += ["declare -gA _POSTERN_PARAMS=()"]
        lines += ["# By method, the type of its result, as in lib/types.jq."]
        lines += ["declare -gA _POSTERN_RESULTS=()", ""]
        lines += contract.methods.flatMap { entry(for: $0) + [""] }
        lines += ["# Errors, by the value of POSTERN_ERROR_SLUG.", ""]
        lines += contract.slugs.flatMap { comment("\($0.text): \($0.description)", indentedBy: "    ") + [""] }
        return lines.dropLast().joined(separator: "\n") + "\n"
    }

    private func entry(for method: ClientContract.ClientMethod) -> [String] {
        let properties = flat(method.params)
        var lines = comment("\(method.name): \(method.summary) \(method.description)", indentedBy: "    ")
        for (path, property) in properties {
            let required = property.isOptional ? "" : "required. "
            let text = "\(property.typeText). \(required)\(property.description)"
            lines += comment("    \(path): \(text)", indentedBy: "        ")
        }
        switch method.result {
        case .nothing: lines.append("#     Returns nothing.")
        case .anyObject: lines.append("#     Returns an object.")
        case .object(let name): lines += returns(name)
        }
        if !method.errors.isEmpty {
            lines += comment(
                "    Errors: \(method.errors.map(\.slug).joined(separator: ", ")).",
                indentedBy: "        "
            )
        }
        let table = properties.map { path, property in "\(path):\(property.inputKind)" }
        lines.append("_POSTERN_PARAMS[\(method.name)]='" + ([""] + table + ["'"]).joined(separator: "\n"))
        lines.append("_POSTERN_RESULTS[\(method.name)]=\(method.result.typeName)")
        return lines
    }

    private func returns(_ name: String) -> [String] {
        guard let type = contract.type(named: name) else { return [] }
        return comment("    Returns \(name): \(type.description)", indentedBy: "        ")
            + type.properties.flatMap { property in
                comment(
                    "        \(property.name): \(property.typeText). \(property.description)",
                    indentedBy: "            "
                )
            }
    }

    /// The properties by dotted path, each followed by the properties in it.
    private func flat(
        _ properties: [ClientContract.ClientProperty],
        within path: String = ""
    ) -> [(String, ClientContract.ClientProperty)] {
        properties.flatMap { property in
            guard case .object(let name) = property.content, !property.isList, let type = contract.type(named: name)
            else {
                return [(path + property.name, property)]
            }
            return [(path + property.name, property)] + flat(type.properties, within: "\(path)\(property.name).")
        }
    }

    /// A jq function that returns the types of results, by name.
    private var typesText: String {
        var lines = [Self.mark, ""]
        lines += ["# The types of results. A `?` after a type means that the property may be null, a `?` after"]
        lines += ["# a name that it may be omitted; brackets mean a list."]
        lines += ["def types: {"]
        for (index, type) in contract.types.enumerated() {
            lines += comment(type.description).map { "  \($0)" }
            lines.append("  \(type.name): {")
            lines += type.properties.enumerated().map { position, property in
                let name = property.name + (property.isOptional ? "?" : "")
                let comma = position + 1 < type.properties.count ? "," : ""
                return "    \"\(name)\": \"\(property.resultType)\"\(comma)"
            }
            lines.append(index + 1 < contract.types.count ? "  }," : "  }")
        }
        return (lines + ["};"]).joined(separator: "\n") + "\n"
    }

    private static let mark = "# \(generatedWords)"

    /// A comment in lines of at most 120 columns, those after the first indented further.
    private func comment(_ text: String, indentedBy indent: String = "") -> [String] {
        let leading = String(text.prefix { $0 == " " })
        var lines = [leading]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            let isStart = line.allSatisfy { $0 == " " }
            if !isStart, line.count + word.count + 1 > 114 {
                lines.append(indent + word)
            } else {
                lines[lines.count - 1] = line + (isStart ? "" : " ") + word
            }
        }
        return lines.map { "# \($0)" }
    }
}

extension ClientContract.Result {
    fileprivate var typeName: String {
        switch self {
        case .nothing: "nothing"
        case .anyObject: "object"
        case .object(let name): name
        }
    }
}

extension ClientContract.ClientProperty {
    private var baseType: String {
        content.name(
            string: "string",
            integer: "integer",
            boolean: "boolean",
            time: "time",
            epoch: "epoch",
            anyObject: "object"
        )
    }

    /// The type in lib/types.jq: `integer`, `time?`, `[OperatorsClient]`.
    fileprivate var resultType: String {
        (isList ? "[\(baseType)]" : baseType) + (isNullable ? "?" : "")
    }

    /// How the value of a word `name=value` is read. An `object`, which may have any properties, needs the form
    /// `name:=JSON`; so does a `json` value, unless its properties are given one by one.
    fileprivate var inputKind: String {
        if isList { return "json" }
        return content.name(string: "string", integer: "integer", boolean: "boolean", anyObject: "object") { _ in "json"
        }
    }

    /// The type in the help.
    fileprivate var typeText: String {
        var text =
            switch content {
            case .time: "time, as text"
            case .epoch: "seconds since 1970"
            case .anyObject: "object, as JSON"
            default: baseType
            }
        if isList { text = "list of \(text)" }
        if isNullable { text += " or null" }
        return choices.isEmpty ? text : "\(text): \(choices.joined(separator: ", "))"
    }
}
