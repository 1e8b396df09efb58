import JSON

/// A method of the host: a request or notification that the process sends on its own.
struct HostMethod {
    let name: String
    /// The flag with which a host asks for it.
    let flag: String
    let summary: String
    let description: String
    /// The type of its params.
    let params: ObjectType
    /// What an error response means; nil for a notification, which gets no response.
    let errors: String?

    var isNotification: Bool { errors == nil }

    /// - Parameter types: the types of its API.
    init(_ value: JSONValue, types: [ObjectType]) throws {
        try value.allowOnly(["name", "flag", "summary", "description", "params", "result", "errors"])
        name = try value.text("name")
        flag = try value.text("flag")
        summary = try value.text("summary")
        description = try value.text("description")
        let type = try value.text("params")
        guard let params = types.first(where: { $0.name == type }) else {
            throw SchemaError("\(name) has params of type \(type), which is not described")
        }
        self.params = params
        errors = value["errors"]?.string
        guard (value["result"] == .null) == (errors != nil) else {
            throw SchemaError("\(name) needs both the result null and errors, or as a notification neither")
        }
    }
}

/// Generates the Swift names of the host's methods.
struct HostMethodEmitter {
    let text: String

    init(_ contract: Contract) {
        let methods = contract.apis.flatMap(\.hostMethods)
        let lines = methods.flatMap { method in
            [
                "    /// \(method.summary) A host asks for it with `\(method.flag)`.",
                "    package static let \(method.name.lowerCamel): StaticString = \"\(method.name)\"",
            ]
        }
        text =
            generatedMark + "/// The methods of the host that the process calls.\npackage enum HostMethod {\n"
            + lines.joined(separator: "\n") + "\n}\n"
    }
}
