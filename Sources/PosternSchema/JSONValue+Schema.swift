import JSON

/// Reads the files of schema/. Each function throws `SchemaError` if the value is missing or has another type.
extension JSONValue {
    func text(_ name: String) throws -> String {
        guard let text = self[name]?.string else { throw SchemaError("no string \(name) in \(self.text.prefix(120))") }
        return text
    }

    func number(_ name: String) throws -> Int {
        guard let number = self[name]?.int else { throw SchemaError("no number \(name) in \(self.text.prefix(120))") }
        return number
    }

    /// Checks that the object has no unknown property, such as a misspelt one.
    func allowOnly(_ names: [String]) throws {
        if let unknown = object?.first(where: { !names.contains($0.name) }) {
            throw SchemaError("unknown property \(unknown.name) in \(self.text.prefix(120))")
        }
    }

    func list(_ name: String) throws -> [JSONValue] {
        guard let value = self[name] else { return [] }
        guard let list = value.array else { throw SchemaError("\(name) is not an array in \(self.text.prefix(120))") }
        return list
    }
}
