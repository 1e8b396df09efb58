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

    /// The APIs that have accounts: all except the service itself.
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
