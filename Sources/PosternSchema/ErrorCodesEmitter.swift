import JSON

/// Swift for the error tables.
struct ErrorCodesEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["extension ErrorCode {"]
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
}
