import FoundationEssentials
import JSON

/// An error in a file of schema/.
struct SchemaError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The contract in schema/: the methods of each API, and the records in the store.
struct Contract {
    /// The record types in one file of schema/.
    struct Records {
        let name: String
        let records: [ObjectType]
    }

    /// Its version, as service.json states it.
    let version: String
    let limits: ContractLimits
    /// The most common passwords.
    let commonPasswords: [String]
    /// The maximum length of a request, without its line feed.
    let messageBytesMax: Int
    /// The maximum nesting depth of objects and arrays in a request.
    let nestingDepthMax: Int
    /// All enumerations, in the contract's order.
    let enumerations: [Enumeration]
    let apis: [API]
    /// The names in account.json of the methods that every account API has.
    let accountMethodNames: [String]
    /// The types of their results, as the rules return them.
    let accountResults: [ObjectType]
    /// The types that the rules of an API without accounts return.
    let otherResults: [ObjectType]
    /// The kinds in account.json of the mails that every account API sends.
    let accountMailKinds: [String]
    let records: [Records]

    /// Reads the directory schema/ in `root`.
    init(root: String) throws {
        guard let file = try Self.file("\(root)/schema/limits.json") else {
            throw SchemaError("limits.json is missing")
        }
        let limits = try ContractLimits(file)
        self.limits = limits
        commonPasswords = try Self.passwords(
            in: "\(root)/schema/common-passwords.txt",
            count: limits.value(of: "commonPasswordsCount")
        )
        messageBytesMax = try limits.value(of: "lineBytesMax")
        nestingDepthMax = try limits.value(of: "nestingDepthMax")
        guard let account = try Self.file("\(root)/schema/account.json") else {
            throw SchemaError("account.json is missing")
        }
        let files = try Self.apiFiles(in: "\(root)/schema")
        version = try files.last?.text("contract") ?? ""
        let definitions = try Definitions(account: account, apis: files)
        enumerations = definitions.enumerations
        accountMethodNames = definitions.accountMethods.names
        accountMailKinds = definitions.accountMethods.mailKinds
        accountResults = try definitions.accountMethods.types.map { try ObjectType(limits.resolved($0)) }
        let shared = Records(name: "identity", records: try Self.records(in: definitions.records(of: account), limits))
        apis = try files.map { try API(limits.resolved(definitions.resolved($0)), sharedRecords: shared.records) }
        records =
            try [shared]
            + files.map { Records(name: try $0.text("api"), records: try Self.records(in: $0, limits)) }
            .filter { !$0.records.isEmpty }
        let known = Set(accountResults.map(\.name) + records.flatMap(\.records).map(\.name))
        otherResults = apis.filter(\.rulesReturnTypes).flatMap(\.types).filter { !known.contains($0.name) }
        let names = apis.flatMap(\.methods).map(\.name)
        guard Set(names).count == names.count else { throw SchemaError("schema/ has a method twice") }
        for name in apis.flatMap(\.methods).flatMap(\.limits) { _ = try limits.value(of: name) }
        let types = records.flatMap(\.records).map(\.name)
        if let api = accountAPIs.first(where: { !types.contains($0.accounts ?? "") }) {
            throw SchemaError("the accounts of \(api.name).json have a record type that schema/ does not describe")
        }
    }

    static func file(_ path: String) throws -> JSONValue? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONValue(parsing: String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw SchemaError("\(path): \(error)")
        }
    }
}

/// One API of the contract.
struct API {
    /// An error that its methods can reply with.
    struct Failure {
        let slug: String
        let code: Int
        let message: String
        let when: String
    }

    let name: String
    let title: String
    let description: String
    /// Instructions for assistants on how to use the API's tools.
    let instructions: String
    /// The record type of its accounts; nil for an API without accounts of its own.
    let accounts: String?
    /// The mails that it sends.
    let mails: [Mail]
    /// The object types of results.
    let types: [ObjectType]
    /// The names of those that are records of account.json, which the wire shows as they are stored.
    let shownRecords: Set<String>
    /// Whether its rules return these types.
    let rulesReturnTypes: Bool
    /// The object types of params.
    let inputs: [ObjectType]
    /// The properties with which the data of each of its errors begins.
    let errorData: [JSONValue.Property]
    let errors: [Failure]
    let methods: [Method]
    /// The start of the names of the methods that every account API has; nil for the service itself.
    private let accountMethodsPrefix: String?
    /// The names of those that it does not have, or describes itself.
    private let leftOutAccountMethods: [String]
    /// What the process sends to the host.
    let hostMethods: [HostMethod]

    /// - Parameter sharedRecords: the records of account.json.
    init(_ file: JSONValue, sharedRecords: [ObjectType]) throws {
        try file.allowOnly([
            "api", "contract", "position", "title", "description", "instructions", "accounts", "mails", "enums",
            "properties",
            "types", "rulesReturnTypes",
            "inputs", "records", "errorData", "errors", "authentication", "accountMethods", "methods", "hostMethods",
        ])
        name = try file.text("api")
        title = try file.text("title")
        description = try file.text("description")
        instructions = try file.text("instructions")
        accounts = file["accounts"]?.string
        mails = try file.list("mails").map { [name] in try Mail($0, api: name) }
        // A type may extend a type that precedes it.
        types = try file.list("types").reduce(into: []) { types, type in
            types.append(try ObjectType(type, bases: types))
        }
        shownRecords = Set(types.map(\.name)).intersection(sharedRecords.map(\.name))
        rulesReturnTypes = file["rulesReturnTypes"]?.bool ?? false
        // An input may contain inputs that precede it.
        inputs = try file.list("inputs").reduce(into: []) { inputs, input in
            inputs.append(try ObjectType(input, inputs: inputs))
        }
        accountMethodsPrefix = file["accountMethods"]?["prefix"]?.string
        leftOutAccountMethods = try file["accountMethods"]?.list("leavesOut").compactMap(\.string) ?? []
        errorData = file["errorData"]?.object ?? []
        errors = try file.list("errors").map { error in
            Failure(
                slug: try error.text("slug"),
                code: try error.number("code"),
                message: try error.text("message"),
                when: try error.text("when")
            )
        }
        let authentication = try file["authentication"].map { [inputs] in try Authentication($0, inputs: inputs) }
        methods = try file.list("methods").map { [inputs] in
            try Method($0, inputs: inputs, authentication: authentication)
        }
        hostMethods = try file.list("hostMethods").map { [types] in try HostMethod($0, types: types) }
        try checkNames()
        try checkShown(sharedRecords)
    }

    /// The API's methods that account.json describes, each with its name there.
    func accountMethods(named names: [String]) -> [(method: Method, name: String)] {
        guard let prefix = accountMethodsPrefix else { return [] }
        return names.filter { !leftOutAccountMethods.contains($0) }.compactMap { name in
            methods.first { $0.name == "\(prefix).\(name)" }.map { ($0, name) }
        }
    }
}

/// The type of an object in a request, a reply or the store.
struct ObjectType {
    let name: String
    let description: String
    /// Whether it contains personal data, which is erased after the record is deleted.
    let isPersonal: Bool
    /// The type that it extends: the base's properties come before its own.
    let base: String?
    /// All properties, in order.
    let properties: [Property]
    /// The properties that it does not inherit.
    let ownProperties: [Property]

    init(_ value: JSONValue, inputs: [ObjectType] = [], bases: [ObjectType] = []) throws {
        try value.allowOnly(["name", "description", "personal", "extends", "properties"])
        name = try value.text("name")
        description = try value.text("description")
        isPersonal = value["personal"]?.bool ?? false
        base = value["extends"]?.string
        ownProperties = try value.list("properties").map { try Property($0, inputs: inputs) }
        let inherited = bases.first { [base] in $0.name == base }?.properties
        guard let base else {
            properties = ownProperties
            return
        }
        guard let inherited else { throw SchemaError("\(name) extends \(base), which is not described before it") }
        properties = inherited + ownProperties
    }

    /// A type that an emitter constructs.
    init(name: String, description: String, properties: [Property]) {
        self.name = name
        self.description = description
        self.isPersonal = false
        self.base = nil
        self.properties = properties
        self.ownProperties = properties
    }
}

/// A property of an object, or a param.
struct Property {
    let name: String
    let type: TypeName
    let description: String
    let isRequired: Bool
    /// Whether the property is omitted, rather than null, if it has no value.
    let isOptional: Bool
    /// Whether it is a credential, such as a password or a bearer token, which no log may contain.
    let isSecret: Bool
    /// Whether it is a password, whose bytes are overwritten after use.
    let isPassword: Bool
    /// Whether it is the bearer token that authenticates a request, of which only the hash is kept.
    let isBearerToken: Bool
    /// The constant value of the property; nil if its value varies.
    let constant: JSONValue?
    /// Whether tools have it. Assistants are not offered what only a host knows.
    let isOfTools: Bool
    /// The input type; nil if the type is not one of the inputs.
    let input: ObjectType?
    /// Whether all properties of the object may be omitted.
    let isPartial: Bool
    /// The enumeration of its values; nil if the values are not those of an enumeration.
    let enumeration: Enumeration.Reference?
    /// The JSON Schema keywords beyond the type: maxLength, enum and so on.
    let constraints: [JSONValue.Property]

    init(_ value: JSONValue, inputs: [ObjectType] = []) throws {
        let known = ["format", "minLength", "maxLength", "minimum", "maximum", "enum", "pattern"]
        try value.allowOnly(
            known + [
                "name", "type", "description", "required", "optional", "secret", "const", "partial", "enumeration",
                "isWholeEnumeration", "tool",
            ]
        )
        let type = TypeName(try value.text("type"))
        name = try value.text("name")
        self.type = type
        description = try value.text("description")
        isRequired = value["required"]?.bool ?? false
        isOptional = value["optional"]?.bool ?? false
        isPassword = value["secret"] == "password"
        isBearerToken = value["secret"] == "token"
        isSecret = isPassword || isBearerToken || value["secret"]?.bool ?? false
        constant = value["const"]
        isOfTools = value["tool"]?.bool ?? true
        input = inputs.first { $0.name == type.base }
        isPartial = value["partial"]?.bool ?? false
        enumeration = value["enumeration"]?.string.map { name in
            Enumeration.Reference(name: name, isWhole: value["isWholeEnumeration"] == true)
        }
        constraints = (value.object ?? []).filter { known.contains($0.name) }
    }
}

extension Property {
    /// The description, with the unit of a value whose type does not show it.
    var explanation: String { type.base == "epoch" ? "\(description) Unix time in seconds." : description }
}
