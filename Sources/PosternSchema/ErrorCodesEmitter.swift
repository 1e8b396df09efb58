import JSON

/// Generates the Swift error tables.
struct ErrorCodesEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["package import JSON", "", "extension ErrorCode {"]
        lines += Self.apis(contract) + [""]
        for (index, api) in contract.apis.enumerated() {
            if index > 0 { lines.append("") }
            lines += ["    /// \(api.title).", "    package enum \(api.name.upperCamel) {"]
            for error in api.errors {
                lines += [
                    "        /// \(error.when)",
                    "        package static let \(error.slug.lowerCamel) = ErrorCode(",
                    "            api: .\(api.name),",
                    "            slug: \"\(error.slug)\",",
                    "            number: \(error.code),",
                    "            message: \(JSONValue.string(error.message).text)",
                    "        )",
                ]
            }
            lines.append("    }")
        }
        text = generatedMark + (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private static func apis(_ contract: Contract) -> [String] {
        var lines = [
            "    /// The part of the contract that an error or a method belongs to.",
            "    package enum API: String, CaseIterable, Sendable {",
            "        case \(contract.apis.map(\.name).joined(separator: ", "))",
            "",
            "        /// The properties with which the data of each of its errors begins.",
            "        package var errorData: [JSONValue.Property] {",
            "            switch self {",
        ]
        for api in contract.apis {
            let properties = api.errorData.map {
                "JSONValue.Property(\(JSONValue.string($0.name).text), \($0.value.text))"
            }
            lines.append("            case .\(api.name): [\(properties.joined(separator: ", "))]")
        }
        return lines + ["            }", "        }", "    }"]
    }
}
