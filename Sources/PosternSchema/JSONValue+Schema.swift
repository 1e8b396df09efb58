import JSON

/// Reading the files of the contract.
extension JSONValue {
    func text(_ name: String) throws -> String {
        guard let text = self[name]?.string else { throw SchemaError("no string \(name) in \(self.text.prefix(120))") }
        return text
    }

    func number(_ name: String) throws -> Int {
        guard let number = self[name]?.int else { throw SchemaError("no number \(name) in \(self.text.prefix(120))") }
        return number
    }

    /// Refuses members that say nothing, such as a slip in a name.
    func allowOnly(_ names: [String]) throws {
        if let stranger = object?.first(where: { !names.contains($0.name) }) {
            throw SchemaError("\(stranger.name) says nothing in \(self.text.prefix(120))")
        }
    }

    func list(_ name: String) throws -> [JSONValue] {
        guard let value = self[name] else { return [] }
        guard let list = value.array else { throw SchemaError("\(name) is no list in \(self.text.prefix(120))") }
        return list
    }
}
