import JSON

/// The contract in the form that all client emitters use.
struct ClientContract {
    /// An object type of results or params, with a name that is unique among all APIs.
    struct ClientType {
        /// The API's name and the type's name, as in the OpenRPC document: `OperatorsClient`, but `Event` for a record
        /// of account.json. The name of an input of which all properties may be omitted ends in `Changes`.
        let name: String
        let description: String
        let properties: [ClientProperty]
    }

    /// A property of an object, or a param.
    struct ClientProperty {
        /// The type of the value, or of a list's elements.
        enum Content: Equatable {
            case string, integer, boolean
            /// UTC with microseconds, as text: `2016-02-24T22:07:52.371513Z`.
            case time
            /// Unix time in seconds.
            case epoch
            /// An object with any properties.
            case anyObject
            /// An object, with the name of its type.
            case object(String)
        }

        let name: String
        let description: String
        let content: Content
        let isList: Bool
        /// Whether it may be null.
        let isNullable: Bool
        /// Whether it may be omitted.
        let isOptional: Bool
        /// Whether it is a credential, such as a password or a bearer token, which no log may contain.
        let isSecret: Bool
        /// Whether it is a string with a date without a time: `2016-02-24`.
        let isDate: Bool
        /// The allowed strings; empty if any string is allowed.
        let choices: [String]
        /// The enumeration of the allowed strings.
        let enumeration: Enumeration.Reference?
    }

    /// A method, with the types of its params and its result.
    struct ClientMethod {
        /// Its name on the wire.
        let name: String
        /// The last word of its name, which is its name in its group.
        var localName: String { String(name.split(separator: ".").last ?? "") }
        let summary: String
        let description: String
        /// Whether it changes nothing.
        let isReadOnly: Bool
        /// The params, the required ones first.
        let params: [ClientProperty]
        let result: Result
        /// Its own errors. Any method can also end with one of the service's errors.
        let errors: [ClientError]
        /// Whether a client may send it a second time if it does not know the outcome of the first.
        let isIdempotent: Bool
    }

    /// The result of a method.
    enum Result {
        case nothing
        /// An object that the client returns unchanged.
        case anyObject
        case object(String)
    }

    /// Methods whose names have the same prefix: `operators.client.create` is in the group `client` of the group
    /// `operators`.
    struct Group {
        /// The name in the parent group.
        let name: String
        /// The names from the root: `operators.client`.
        let path: String
        let groups: [Group]
        let methods: [ClientMethod]
        let description: String
    }

    /// The version of the contract.
    let version: String
    let enumerations: [Enumeration]
    let types: [ClientType]
    /// The object types of params. A type that another contains precedes it.
    let inputs: [ClientType]
    /// All methods, in the contract's order.
    let methods: [ClientMethod]
    /// All methods, in groups.
    let groups: [Group]
    let errorGroups: [ErrorGroup]
    /// The maximum length of a request, without its line feed.
    let messageBytesMax: Int
    /// The maximum nesting depth of objects and arrays in a request.
    let nestingDepthMax: Int

    init(_ contract: Contract) {
        version = contract.version
        messageBytesMax = contract.messageBytesMax
        nestingDepthMax = contract.nestingDepthMax
        enumerations = contract.enumerations
        types = contract.types.map { api, type in
            ClientType(
                name: api.typeName(type.name),
                description: type.description,
                properties: type.properties.map { ClientProperty($0, in: api, isOptional: $0.isOptional) }
            )
        }
        inputs = contract.apis.flatMap(Self.inputs)
        methods = contract.apis.flatMap { api in api.methods.map { ClientMethod($0, in: api, contract.limits(of: $0)) }
        }
        let titles = contract.apis.map { (name: $0.name, text: "\($0.title).") }
        groups = Self.groups(methods, within: "") { path in
            titles.first { $0.name == path }?.text ?? "The methods `\(path).…`."
        }
        errorGroups = Self.errorGroups(of: contract)
    }

    /// The type with a name; nil for an unknown name.
    func type(named name: String) -> ClientType? { (types + inputs).first { $0.name == name } }

    private static func inputs(of api: API) -> [ClientType] {
        let changeable = api.methods.flatMap(\.params).filter(\.isPartial).compactMap(\.input)
        return api.inputs.map { input in
            ClientType(
                name: api.typeName(input.name),
                description: input.description,
                properties: input.properties.map { ClientProperty($0, in: api, isOptional: !$0.isRequired) }
            )
        } + partial(changeable, in: api)
    }

    /// Inputs of which all properties may be omitted. An input that another contains precedes it.
    private static func partial(_ inputs: [ObjectType], in api: API) -> [ClientType] {
        inputs.flatMap { input in
            partial(input.properties.compactMap(\.input), in: api) + [
                ClientType(
                    name: api.changesName(input.name),
                    description: "\(input.description) Omitted properties stay unchanged.",
                    properties: input.properties.map { ClientProperty($0, in: api, isOptional: true, isPartial: true) }
                )
            ]
        }
    }

    private static func groups(
        _ methods: [ClientMethod],
        within path: String,
        describedBy description: (String) -> String
    ) -> [Group] {
        let depth = path.split(separator: ".").count
        let names = methods.map { $0.name.split(separator: ".").map(String.init) }
        let words = names.filter { $0.count > depth + 1 }.map { $0[depth] }
        return words.uniqued.map { word in
            let inner = path.isEmpty ? word : "\(path).\(word)"
            let properties = methods.filter { $0.name.hasPrefix(inner + ".") }
            return Group(
                name: word,
                path: inner,
                groups: groups(properties, within: inner, describedBy: description),
                methods: properties.filter { $0.name.split(separator: ".").count == depth + 2 },
                description: description(inner)
            )
        }
    }
}

extension ClientContract.ClientMethod {
    fileprivate init(_ method: Method, in api: API, _ limits: [ContractLimits.Limit]) {
        let params = method.params.map { ClientContract.ClientProperty($0, in: api, isOptional: !$0.isRequired) }
        self.init(
            name: method.name,
            summary: method.summary,
            description: ([method.description] + limits.sentences).joined(separator: " "),
            isReadOnly: method.effect.isReadOnly,
            params: params.filter { !$0.isOptional } + params.filter(\.isOptional),
            result: method.result.map { $0 == "object" ? .anyObject : .object(api.typeName($0)) } ?? .nothing,
            errors: method.errors.compactMap { slug in
                api.errors.first { $0.slug == slug }.map {
                    ClientContract.ClientError(api: api.name, slug: slug, description: $0.when)
                }
            },
            isIdempotent: method.effect.isReadOnly || method.isIdempotent
        )
    }
}

extension ClientContract.ClientProperty {
    /// - Parameter isPartial: whether it is in an object of which all properties may be omitted.
    fileprivate init(_ property: Property, in api: API, isOptional: Bool, isPartial: Bool = false) {
        let content: Content =
            switch property.type.base {
            case "string": .string
            case "integer": .integer
            case "boolean": .boolean
            case "time": .time
            case "epoch": .epoch
            case "object": .anyObject
            default:
                .object(
                    isPartial || property.isPartial
                        ? api.changesName(property.type.base) : api.typeName(property.type.base)
                )
            }
        self.init(
            name: property.name,
            description: property.description,
            content: content,
            isList: property.type.isList,
            isNullable: property.type.isNullable,
            isOptional: isOptional,
            isSecret: property.isSecret,
            isDate: property.constraints.contains { $0.name == "format" && $0.value.string == "date" },
            choices: property.constraints.first { $0.name == "enum" }?.value.array?.compactMap(\.string) ?? [],
            enumeration: property.enumeration
        )
    }
}

extension ClientContract.ClientProperty {
    /// The name of its enumeration; nil unless all values of the enumeration are allowed.
    var wholeEnumeration: String? { enumeration.flatMap { $0.isWhole ? $0.name : nil } }
}

extension API {
    /// A type's name that is unique among all APIs. A record of account.json has the same name in all of them.
    func typeName(_ name: String) -> String { shownRecords.contains(name) ? name : self.name.upperCamel + name }

    /// The name of an input of which all properties may be omitted: `ClientInput` → `OperatorsClientChanges`.
    fileprivate func changesName(_ name: String) -> String {
        typeName(name.hasSuffix("Input") ? String(name.dropLast("Input".count)) : name) + "Changes"
    }
}
