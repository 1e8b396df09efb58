import FoundationEssentials
import JSON

extension Contract {
    /// The bounds that a method names.
    func limits(of method: Method) -> [ContractLimits.Limit] {
        method.limits.compactMap { name in limits.limits.first { $0.name == name } }
    }

    /// The records in a file.
    static func records(in file: JSONValue, _ limits: ContractLimits) throws -> [ObjectType] {
        try file.list("records").map { try ObjectType(limits.resolved($0)) }
    }

    /// The records of account.json.
    var sharedRecords: [ObjectType] { records.first?.records ?? [] }

    /// The object types of results, each once with an API that has it: a record of account.json is one type, also if
    /// several APIs show it.
    var types: [(api: API, type: ObjectType)] {
        var names: Set<String> = []
        return apis.flatMap { api in api.types.map { (api, $0) } }.filter { api, type in
            names.insert(api.typeName(type.name)).inserted
        }
    }

    /// The names of an API's types that the rules have in the same form. On the wire, they are the types of the rules.
    func ruleTypes(of api: API) -> Set<String> {
        let known = sharedRecords + accountResults + (api.rulesReturnTypes ? otherResults : [])
        func isSame(_ type: ObjectType) -> Bool {
            guard let rule = known.first(where: { $0.name == type.name }),
                rule.properties.map(\.declaration) == type.properties.map(\.declaration)
            else { return false }
            let inner = Set(type.properties.map(\.type.base))
            return api.types.filter { inner.contains($0.name) }.allSatisfy(isSame)
        }
        return Set(api.types.filter(isSame).map(\.name))
    }

    /// The APIs that have accounts: all except administration and the service itself.
    var accountAPIs: [API] { apis.filter { $0.accounts != nil } }

    /// The files of the APIs, sorted by position. The service itself has no position and comes last.
    static func apiFiles(in folder: String) throws -> [JSONValue] {
        let others: Set = ["account.json", "limits.json", "openrpc.json"]
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let files = try names.filter { $0.hasSuffix(".json") && !others.contains($0) }.compactMap { name in
            try file("\(folder)/\(name)")
        }
        return files.sorted { ($0["position"]?.int ?? .max) < ($1["position"]?.int ?? .max) }
    }
}

extension API {
    /// Checks that every type and error that a method names is described, and that every described error is used.
    func checkNames() throws {
        let slugs = Set(errors.map(\.slug))
        let typeNames = Set(types.map(\.name))
        for method in methods {
            if let slug = method.errors.first(where: { !slugs.contains($0) }) {
                throw SchemaError("\(method.name) names the error \(slug), which \(name).json does not describe")
            }
            if let result = method.result, result != "object", !typeNames.contains(result) {
                throw SchemaError("\(method.name) returns \(result), which \(name).json does not describe")
            }
        }
        let plain: Set = ["string", "integer", "epoch", "boolean", "time", "object"]
        for property in types.flatMap(\.properties) where !plain.union(typeNames).contains(property.type.base) {
            throw SchemaError(
                "the property \(property.name) is a \(property.type.base), which \(name).json does not describe"
            )
        }
        for property in methods.flatMap(\.params) where property.input == nil && !plain.contains(property.type.base) {
            throw SchemaError(
                "the param \(property.name) is a \(property.type.base), which \(name).json does not describe"
            )
        }
        // Any method can reply with the service's own errors, because the store throws them.
        let used = Set(methods.flatMap(\.errors))
        if name != "service", let unused = slugs.first(where: { !used.contains($0) }) {
            throw SchemaError("\(name).json describes the error \(unused), which no method names")
        }
    }

    /// Checks that a type with the name of a record of account.json is that record: `{ "use": "Event" }`.
    func checkShown(_ records: [ObjectType]) throws {
        for type in types {
            guard let record = records.first(where: { $0.name == type.name }) else { continue }
            guard type.properties.map(\.declaration) == record.properties.map(\.declaration) else {
                throw SchemaError("the type \(type.name) of \(name).json differs from the record of that name")
            }
        }
    }
}

extension Property {
    /// What decides how its value is written.
    fileprivate var declaration: [String] {
        [name, type.swift, isOptional ? "optional" : "", constant?.text ?? ""]
    }
}
