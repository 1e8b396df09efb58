import JSON

/// The definitions that the files of schema/ use in several places.
///
///     { "use": "email", "required": true }    the property `email` of this file or account.json, with `required`
///     { "use": "Session", "without": ["ip"] } the type `Session`, without its property `ip`
///     { "name": "role", "type": "Role" }      a string that is one of the values of the enumeration `Role`
struct Definitions {
    /// All enumerations, in the contract's order.
    let enumerations: [Enumeration]
    /// The methods that every account API has.
    let accountMethods: AccountMethods
    private let shared: [String: JSONValue]

    /// - Parameters:
    ///   - account: account.json, the file of the definitions and records that several APIs share.
    ///   - apis: the files of the APIs.
    init(account: JSONValue, apis: [JSONValue]) throws {
        try account.allowOnly(["enums", "properties", "types", "inputs", "errors", "mails", "methods", "records"])
        accountMethods = try AccountMethods(account)
        enumerations =
            try account.list("enums").map { try Enumeration($0, api: "") }
            + apis.flatMap { api in try api.list("enums").map { try Enumeration($0, api: api.text("api")) } }
            + [Enumeration.accountAPIs(apis)]
        let properties = try Self.named(account.list("properties"), beside: [:])
        let lists = try ["types", "inputs", "records"].flatMap { try account.list($0) }
        let types = try lists.map { try Self.filled($0, from: properties) }
        shared = try Self.named(types, beside: properties)
    }

    /// An API's file with the methods that every account API has, and with each use of a definition replaced by the
    /// definition.
    func resolved(_ api: JSONValue) throws -> JSONValue {
        let api = try accountMethods.added(to: api)
        let definitions = try Self.named(api.list("properties"), beside: shared)
        let name = try api.text("api")
        let own = enumerations.filter { $0.api == name }.map { ($0.localName, $0) }
        let all = own + enumerations.map { ($0.name, $0) }
        let types = Dictionary(all, uniquingKeysWith: { first, _ in first })
        return Self.typed(try Self.filled(api, from: definitions), by: types)
    }

    /// The records of account.json, with each property of an enumeration's type turned into a string.
    func records(of account: JSONValue) -> JSONValue {
        let types = Dictionary(enumerations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Self.typed(account, by: types)
    }

    private static func named(
        _ values: [JSONValue],
        beside others: [String: JSONValue]
    ) throws -> [String: JSONValue] {
        try values.reduce(into: others) { definitions, value in
            guard definitions.updateValue(value, forKey: try value.text("name")) == nil else {
                throw SchemaError("\(try value.text("name")) is described twice")
            }
        }
    }

    /// A value, with the objects that use a definition replaced by the definition.
    private static func filled(_ value: JSONValue, from definitions: [String: JSONValue]) throws -> JSONValue {
        switch value {
        case .array(let elements): return .array(try elements.map { try filled($0, from: definitions) })
        case .object(let properties):
            guard let name = value["use"]?.string else {
                return .object(
                    try properties.map { JSONValue.Property($0.name, try filled($0.value, from: definitions)) }
                )
            }
            guard let definition = definitions[name]?.object else {
                throw SchemaError("\(value.text) uses \(name), which is not described")
            }
            let own = properties.filter { !["use", "without"].contains($0.name) }
            let leftOut = try value.list("without").compactMap(\.string)
            let kept = definition.map { property in
                own.first { $0.name == property.name } ?? property.without(leftOut)
            }
            let added = own.filter { property in !definition.contains { $0.name == property.name } }
            return .object(kept + added)
        default: return value
        }
    }

    /// A value, with each property of an enumeration's type turned into a string with the enumeration's values.
    private static func typed(_ value: JSONValue, by types: [String: Enumeration]) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { typed($0, by: types) })
        case .object(let properties):
            let type = TypeName(value["type"]?.string ?? "")
            guard let enumeration = types[type.base] else {
                return .object(properties.map { JSONValue.Property($0.name, typed($0.value, by: types)) })
            }
            let values = enumeration.values.map { JSONValue.string($0) } + (type.isNullable ? [.null] : [])
            let known = value["enum"] ?? .array(values)
            let plain = properties.filter { $0.name != "enum" && $0.name != "type" }
            let string = JSONValue.Property("type", .string(type.isNullable ? "string?" : "string"))
            let name = JSONValue.Property("enumeration", .string(enumeration.name))
            let isWhole = JSONValue.Property("isWholeEnumeration", .bool(value["enum"] == nil))
            return .object([string] + plain + [name, isWhole, .init("enum", known)])
        default: return value
        }
    }
}

/// A closed set of strings that a property may have.
struct Enumeration {
    let api: String
    /// Its name in the API's file: `Role`.
    let localName: String
    let description: String
    let values: [String]
    /// Whether the rules use it.
    let isOfRules: Bool

    /// - Parameter api: the API's name; empty for an enumeration of account.json.
    init(_ value: JSONValue, api: String, isOfRules: Bool? = nil) throws {
        try value.allowOnly(["name", "description", "values"])
        self.api = api
        self.isOfRules = isOfRules ?? !["admin", "service"].contains(api)
        localName = try value.text("name")
        description = try value.text("description")
        values = try value.list("values").compactMap(\.string)
    }

    /// The names of the APIs that have accounts. The rules have `Realm` instead.
    static func accountAPIs(_ files: [JSONValue]) throws -> Enumeration {
        let names = try files.filter { $0["accounts"] != nil }.map { JSONValue.string(try $0.text("api")) }
        let value: JSONValue = [
            "name": "AccountAPI", "description": "An API that has accounts.", "values": .array(names),
        ]
        return try Enumeration(value, api: "", isOfRules: false)
    }

    /// Its name, unique among all APIs: `CareRole`.
    var name: String { api.upperCamel + localName }

    /// A property's reference to an enumeration, by its unique name.
    struct Reference {
        let name: String
        /// Whether the property may have all values of the enumeration, and not only some.
        let isWhole: Bool
    }
}

extension JSONValue.Property {
    /// The list of properties of a type, without some of them. Any other property is unchanged.
    fileprivate func without(_ names: [String]) -> JSONValue.Property {
        guard name == "properties", !names.isEmpty, let elements = value.array else { return self }
        return JSONValue.Property(name, .array(elements.filter { !names.contains($0["name"]?.string ?? "") }))
    }
}
