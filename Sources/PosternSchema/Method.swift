import JSON

/// A method of the contract.
struct Method {
    let name: String
    let endpoint: String?
    let summary: String
    let description: String
    let params: [Property]
    /// The params without those of the authentication.
    let ownParams: [Property]
    /// The name of the result's type; nil for a method whose result is null.
    let result: String?
    let errors: [String]
    /// The names of the bounds that a caller must know, in addition to those of its params.
    let limits: [String]
    let hashesPassword: Bool
    /// The param that identifies the account of a request.
    let account: AccountParam?
    let effect: Effect
    /// Whether a second equal call has no further effect.
    let isIdempotent: Bool
    let isDeterministicOnly: Bool
    /// Whether the method is an MCP tool.
    let isTool: Bool
    let example: JSONValue

    init(_ value: JSONValue, inputs: [ObjectType], authentication: Authentication?) throws {
        try value.allowOnly([
            "authenticated", "name", "endpoint", "summary", "description", "params", "result", "errors", "limits",
            "hashesPassword", "account",
            "effect", "idempotent", "deterministicOnly", "tool", "example",
        ])
        name = try value.text("name")
        endpoint = value["endpoint"]?.string
        summary = try value.text("summary")
        description = try value.text("description")
        let authentication = try authentication.required(by: value)
        ownParams = try value.list("params").map { try Property($0, inputs: inputs) }
        params = (authentication?.params ?? []) + ownParams
        result = value["result"]?.string
        errors = try (authentication?.errors ?? []) + value.list("errors").compactMap(\.string)
        limits = try value.list("limits").compactMap(\.string)
        hashesPassword = value["hashesPassword"]?.bool ?? false
        account = try AccountParam(value, in: params, authentication)
        effect = try Effect(value)
        isIdempotent = value["idempotent"]?.bool ?? effect.isIdempotent
        if value["idempotent"]?.bool == effect.isIdempotent {
            throw SchemaError("\(name): idempotent is redundant, because it has the value that the effect implies")
        }
        isDeterministicOnly = value["deterministicOnly"]?.bool ?? false
        isTool = value["tool"]?.bool ?? true
        example = value["example"] ?? .null
    }

    /// The method's name without its API, as a Swift name: `operators.client.create` → `clientCreate`.
    var localName: String {
        name.split(separator: ".").dropFirst().joined(separator: "_").lowerCamel
    }
}

/// The effect of a method on the store.
enum Effect: String {
    /// It changes nothing.
    case reads
    /// It removes nothing and overwrites nothing.
    case adds
    /// It overwrites something.
    case changes
    /// It ends or deletes something.
    case deletes

    init(_ method: JSONValue) throws {
        let name = try method.text("effect")
        guard let effect = Effect(rawValue: name) else { throw SchemaError("\(name) is not an effect") }
        self = effect
    }

    var isReadOnly: Bool { self == .reads }

    var isDestructive: Bool { self == .changes || self == .deletes }

    /// Whether a second equal call has no further effect, unless the method states otherwise.
    var isIdempotent: Bool { self != .adds }
}
