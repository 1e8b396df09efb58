import JSON

/// A method of the contract.
struct Method {
    let name: String
    let endpoint: String?
    let summary: String
    let description: String
    let params: [Member]
    /// The name of the result's type; nil for a method that answers null.
    let result: String?
    let errors: [String]
    /// The names of the bounds that a caller has to know, beside those of its params.
    let limits: [String]
    let hashesPassword: Bool
    /// Which param tells whose account a request is about.
    let account: AccountParam?
    let isReadOnly: Bool
    let isDestructive: Bool
    let isIdempotent: Bool
    let isRehearsalOnly: Bool
    /// Whether assistants are offered it.
    let isTool: Bool
    let example: JSONValue

    init(_ value: JSONValue, inputs: [ObjectType], authentication: Authentication?) throws {
        try value.allowOnly([
            "authenticated", "name", "endpoint", "summary", "description", "params", "result", "errors", "limits",
            "hashesPassword", "account",
            "readOnly", "destructive", "idempotent", "rehearsalOnly", "tool", "example",
        ])
        name = try value.text("name")
        endpoint = value["endpoint"]?.string
        summary = try value.text("summary")
        description = try value.text("description")
        let authentication = try authentication.required(by: value)
        params = try (authentication?.params ?? []) + value.list("params").map { try Member($0, inputs: inputs) }
        result = value["result"]?.string
        errors = try (authentication?.errors ?? []) + value.list("errors").compactMap(\.string)
        limits = try value.list("limits").compactMap(\.string)
        hashesPassword = value["hashesPassword"]?.bool ?? false
        account = try AccountParam(value, in: params, authentication)
        isReadOnly = value["readOnly"]?.bool ?? false
        isDestructive = value["destructive"]?.bool ?? false
        isIdempotent = value["idempotent"]?.bool ?? false
        isRehearsalOnly = value["rehearsalOnly"]?.bool ?? false
        isTool = value["tool"]?.bool ?? true
        example = value["example"] ?? .null
    }

    /// The method's name without its API, as Swift has it: `operators.client.create` → `clientCreate`.
    var localName: String {
        name.split(separator: ".").dropFirst().joined(separator: "_").lowerCamel
    }
}
