import JSON

/// The authentication of an API: the params and errors that each authenticated method has before its own.
struct Authentication {
    /// The params that contain the credential.
    let params: [Property]
    /// The slugs of the errors for a wrong credential.
    let errors: [String]
    /// The name of the param that identifies the account.
    let account: String

    init(_ value: JSONValue, inputs: [ObjectType]) throws {
        try value.allowOnly(["params", "errors", "account"])
        params = try value.list("params").map { try Property($0, inputs: inputs) }
        errors = try value.list("errors").compactMap(\.string)
        account = try value.text("account")
    }
}

extension Authentication? {
    /// The authentication of a method that has `"authenticated": true`; nil for any other method.
    func required(by method: JSONValue) throws -> Authentication? {
        guard method["authenticated"]?.bool == true else { return nil }
        guard let self else { throw SchemaError("the API of \(try method.text("name")) describes no authentication") }
        return self
    }
}
