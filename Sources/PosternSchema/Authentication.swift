import JSON

/// How the methods of an API are authenticated: what each authenticated method takes and refuses before anything else.
struct Authentication {
    /// The params that contain the credential.
    let params: [Member]
    /// The errors that a wrong credential gets.
    let errors: [String]
    /// The param that names the account.
    let account: String

    init(_ value: JSONValue, inputs: [ObjectType]) throws {
        try value.allowOnly(["params", "errors", "account"])
        params = try value.list("params").map { try Member($0, inputs: inputs) }
        errors = try value.list("errors").compactMap(\.string)
        account = try value.text("account")
    }
}

extension Authentication? {
    /// The authentication that a method asks for with `"authenticated": true`; nil for a method that asks for none.
    func required(by method: JSONValue) throws -> Authentication? {
        guard method["authenticated"]?.bool == true else { return nil }
        guard let self else { throw SchemaError("the API of \(try method.text("name")) describes no authentication") }
        return self
    }
}
