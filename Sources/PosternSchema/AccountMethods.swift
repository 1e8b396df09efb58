import JSON

/// The methods that every account API has, such as `sessions`. account.json describes them once.
///
/// The `accountMethods` of an API's file state what differs in that API:
///
///     "prefix": "care.user"                   the method `sessions` is `care.user.sessions`
///     "leavesOut": ["delete"]                 the methods that the API does not have, or describes itself
///     "errors": {"locked": ["…"], …}          the API's slugs for an error that has no slug of its own
///     "codes": {"session_not_found": 404}     the codes of the errors that the API takes from account.json
///     "types": {"Credential": "AccessToken"}  the API's own types for results
///     "resultProperties": [{"use": "success"}]  the properties with which each result ends
///     "examples": {"params": {…}, …}          the credential in examples of params, and examples of its own types
struct AccountMethods {
    /// The names of the methods in account.json.
    let names: [String]
    /// The types of their results.
    let types: [JSONValue]
    /// The kinds in account.json of the mails that every account API sends.
    let mailKinds: [String]
    private let methods: [JSONValue]
    private let errors: [JSONValue]
    private let mails: [JSONValue]

    /// - Parameter account: account.json.
    init(_ account: JSONValue) throws {
        methods = try account.list("methods")
        names = try methods.map { try $0.text("name") }
        types = try account.list("types")
        errors = try account.list("errors")
        mails = try account.list("mails")
        mailKinds = try mails.map { try $0.text("kind") }
    }

    /// An API's file with the methods and mails, and with the types and errors of account.json that they need.
    func added(to api: JSONValue) throws -> JSONValue {
        guard let value = api["accountMethods"], let properties = api.object else { return api }
        let binding = try Binding(value, of: api)
        let added = try methods.filter { !binding.leavesOut.contains(try $0.text("name")) }.map(binding.method)
        let own = try api.list("types").compactMap { $0["name"]?.string ?? $0["use"]?.string }
        let lists = [
            "methods": added,
            "types": try types(neededBy: added, beside: own, binding),
            "errors": try errors.compactMap(binding.error),
            "mails": try mails(of: api),
        ]
        return .object(
            try properties.map { property in
                guard let more = lists[property.name] else { return property }
                return JSONValue.Property(property.name, .array(try api.list(property.name) + more))
            }
        )
    }

    /// The types of results that the API does not describe, each after the types of its properties.
    private func types(neededBy methods: [JSONValue], beside own: [String], _ binding: Binding) throws -> [JSONValue] {
        var added: [JSONValue] = []
        for name in methods.compactMap({ $0["result"]?.string }) {
            let names = own + added.compactMap { $0["name"]?.string }
            guard !names.contains(name), let type = named(name) else { continue }
            let bases = try type.list("properties").map { TypeName(try $0.text("type")).base }
            added += bases.filter { !names.contains($0) }.compactMap(named)
            added.append(try type.adding(binding.resultProperties, to: "properties"))
        }
        return added
    }

    /// The mails of account.json, except those that the API describes itself.
    private func mails(of api: JSONValue) throws -> [JSONValue] {
        let (name, own) = (try api.text("api"), try api.list("mails").map { try $0.text("kind") })
        return try mails.filter { !own.contains(try $0.text("kind")) }.map { mail in
            let template = JSONValue.Property("template", .string("account-\(try mail.text("kind"))"))
            let properties = (mail.object ?? []).map { property in
                property.name == "link"
                    ? .init("link", .string((property.value.string ?? "").replacing("/API/", with: "/\(name)/")))
                    : property
            }
            return .object(properties + [template])
        }
    }

    private func named(_ name: String) -> JSONValue? {
        types.first { $0["name"]?.string == name }
    }
}

/// What one API states about the methods of account.json.
private struct Binding {
    let leavesOut: [String]
    let resultProperties: [JSONValue]
    private let prefix: String
    private let slugs: JSONValue
    private let codes: JSONValue
    private let types: JSONValue
    private let examples: JSONValue
    /// The errors that the API's authentication adds to each of its methods.
    private let authenticationErrors: [String]

    init(_ value: JSONValue, of api: JSONValue) throws {
        try value.allowOnly(["prefix", "leavesOut", "errors", "codes", "types", "resultProperties", "examples"])
        prefix = try value.text("prefix")
        leavesOut = try value.list("leavesOut").compactMap(\.string)
        resultProperties = try value.list("resultProperties")
        slugs = value["errors"] ?? .object([])
        codes = value["codes"] ?? .object([])
        types = value["types"] ?? .object([])
        examples = value["examples"] ?? .object([])
        authenticationErrors = try api["authentication"]?.list("errors").compactMap(\.string) ?? []
    }

    /// A method of account.json, as the API has it.
    func method(_ method: JSONValue) throws -> JSONValue {
        let isAuthenticated = method["authenticated"]?.bool ?? true
        let result = method["result"]?.string
        var properties = (method.object ?? []).filter { !["authenticated", "errors"].contains($0.name) }
        properties.append(.init("authenticated", .bool(isAuthenticated)))
        properties.append(.init("errors", .array(try errors(of: method, isAuthenticated).map { .string($0) })))
        return .object(
            try properties.map { property in
                let value: JSONValue =
                    switch property.name {
                    case "name": .string("\(prefix).\(try method.text("name"))")
                    case "result": result.map { types[$0] ?? .string($0) } ?? .null
                    case "example": try example(of: method, isAuthenticated)
                    default: named(property.value)
                    }
                return JSONValue.Property(property.name, value)
            }
        )
    }

    /// An error of account.json with the API's code; nil if the API states no code, because it describes the error
    /// itself or does not have it.
    func error(_ error: JSONValue) throws -> JSONValue? {
        guard let code = codes[try error.text("slug")] else { return nil }
        return .object((error.object ?? []) + [.init("code", code)])
    }

    private func errors(of method: JSONValue, _ isAuthenticated: Bool) throws -> [String] {
        let all = try method.list("errors").compactMap(\.string).flatMap { name in
            try slugs[name] == nil ? [name] : slugs.list(name).compactMap(\.string)
        }
        let known = isAuthenticated ? authenticationErrors : []
        return all.reduce(into: []) { errors, slug in
            if !(known + errors).contains(slug) { errors.append(slug) }
        }
    }

    private func example(of method: JSONValue, _ isAuthenticated: Bool) throws -> JSONValue {
        let own = method["example"]?["params"]?.object ?? []
        let params = (isAuthenticated ? examples["params"]?.object ?? [] : []) + own
        let result = method["example"]?["result"] ?? .null
        let typed = method["result"]?.string.flatMap { examples[$0] }
        let constants = try resultProperties.map { JSONValue.Property(try $0.text("use"), true) }
        return [
            "params": .object(params),
            "result": typed ?? result.object.map { .object($0 + constants) } ?? result,
        ]
    }

    /// A value, with the API's prefix in place of `P.` in code: `` `P.sessions` ``.
    private func named(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text.replacing("`P.", with: "`\(prefix)."))
        case .array(let elements): .array(elements.map(named))
        case .object(let properties): .object(properties.map { .init($0.name, named($0.value)) })
        default: value
        }
    }
}

extension JSONValue {
    /// The object with more elements at the end of one of its lists.
    fileprivate func adding(_ elements: [JSONValue], to name: String) throws -> JSONValue {
        let all = JSONValue.array(try list(name) + elements)
        return .object((object ?? []).map { $0.name == name ? .init(name, all) : $0 })
    }
}
