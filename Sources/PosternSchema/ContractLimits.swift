import JSON

/// The bounds of the contract, from schema/limits.json.
///
/// The other files of schema/ refer to a bound by name: `"maxLength": "emailBytesMax"`, or `{emailBytesMax}` in a
/// description. The name is replaced by the value, `254`, or for a bound in seconds by words, `a day`.
struct ContractLimits {
    /// One bound.
    struct Limit {
        let name: String
        /// Where docs/numbers.md lists the bound; nil if a program that uses the service need not know it.
        let topic: String?
        /// The module whose `Limits` contains the bound.
        let module: String
        let value: Int
        /// What the bound limits, and its unit.
        let description: String
    }

    let limits: [Limit]
    private let values: [String: Int]

    init(_ file: JSONValue) throws {
        limits = try (file["limits"]?.array ?? []).map { limit in
            try limit.allowOnly(["name", "topic", "module", "value", "description"])
            guard let name = limit["name"]?.string, let module = limit["module"]?.string,
                let value = limit["value"]?.int, let description = limit["description"]?.string
            else { throw SchemaError("a limit needs a name, a module, a value and a description: \(limit.text)") }
            let topic = limit["topic"]?.string
            return Limit(name: name, topic: topic, module: module, value: value, description: description)
        }
        let named = limits.map { ($0.name, $0.value) }
        values = Dictionary(named, uniquingKeysWith: { first, _ in first })
        guard values.count == limits.count else { throw SchemaError("limits.json has a limit twice") }
    }

    /// The value of a bound.
    func value(of name: String) throws -> Int {
        guard let value = values[name] else { throw SchemaError("\(name) is not in limits.json") }
        return value
    }

    private static let constraints: Set = ["minLength", "maxLength", "minimum", "maximum"]

    /// A part of schema/ with the values of the bounds in place of their names.
    ///
    /// - Throws: `SchemaError` for an unknown name, and for a bound that is written as a number. Only 0 and 1 may be
    ///   numbers.
    func resolved(_ value: JSONValue) throws -> JSONValue {
        switch value {
        case .string(let text): return .string(try filled(text))
        case .array(let elements): return .array(try elements.map { try resolved($0) })
        case .object(let properties):
            return .object(
                try properties.map { property in
                    let isConstraint = Self.constraints.contains(property.name)
                    let value = isConstraint ? try bound(property) : try resolved(property.value)
                    return JSONValue.Property(property.name, value)
                }
            )
        default: return value
        }
    }

    private func bound(_ property: JSONValue.Property) throws -> JSONValue {
        if let name = property.value.string { return .number(String(try value(of: name))) }
        guard let number = property.value.int, (0...1).contains(number) else {
            throw SchemaError(
                "\(property.name) \(property.value.text): state the bound in limits.json and name it here"
            )
        }
        return property.value
    }

    /// A text with the bounds' words in place of their names.
    private func filled(_ text: String) throws -> String {
        let words = text.split(separator: " ")
        for (number, unit) in zip(words, words.dropFirst()) where Self.isBound(number, of: unit) {
            throw SchemaError("\(number) \(unit): state the bound in limits.json and name it here: \(text)")
        }
        guard text.contains("{") else { return text }
        let filled = limits.reduce(text) { text, limit in
            text.split(separator: "{\(limit.name)}", omittingEmptySubsequences: false).joined(separator: limit.words)
        }
        if let name = Self.placeholder(in: filled) { throw SchemaError("{\(name)} is not in limits.json: \(text)") }
        return filled
    }

    /// The first name in braces, except `{Field}`, which is replaced in an error's message at run time.
    private static func placeholder(in text: String) -> Substring? {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().lazy.compactMap { rest in
            rest.firstIndex(of: "}").map { rest[..<$0] }
        }.first { name in
            name.first?.isLetter == true && name != "Field"
                && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
    }

    /// Whether two words of a text are a bound that is written out: a number, `1,024 bytes.`, or a duration, `a week`.
    private static func isBound(_ number: Substring, of unit: Substring) -> Bool {
        let plain = unit.prefix { $0.isLetter }
        // `a second` is not counted, because it may be the ordinal number.
        if ["a", "an"].contains(number.lowercased()) { return spans.contains { plain == $0 } }
        guard (units + spans).contains(where: { plain == $0 || plain == $0 + "s" }) else { return false }
        guard let value = Int(String(number.filter { $0 != "," })) else { return false }
        return value > 1
    }

    private static let units = ["byte", "character", "second"]
    private static let spans = ["minute", "hour", "day", "week", "month", "year"]
}

extension ContractLimits.Limit {
    /// The bound as words in a text: `1,024`, or a duration with its unit, `an hour`, `7 days`.
    var words: String {
        if name.contains("Year") { return String(value) }
        guard name.hasSuffix("Seconds") else { return value.grouped(by: ",") }
        if value % 86_400 == 0 { return value == 86_400 ? "a day" : "\(value / 86_400) days" }
        if value % 3_600 == 0 { return value == 3_600 ? "an hour" : "\(value / 3_600) hours" }
        if value % 60 == 0 { return value == 60 ? "a minute" : "\(value / 60) minutes" }
        return "\(value.grouped(by: ",")) seconds"
    }
}

extension [ContractLimits.Limit] {
    /// A sentence for a method's documentation that lists the bounds; empty if there are none.
    var sentences: [String] {
        isEmpty ? [] : ["Limits: \(map { "`\($0.name)` (\($0.words))" }.joined(separator: ", "))."]
    }
}

/// Swift for the bounds of one module.
struct LimitsEmitter {
    let text: String

    init(_ limits: [ContractLimits.Limit]) {
        let lines = limits.flatMap { limit in
            [
                "    /// \(limit.description)",
                "    package static let \(limit.name) = \(limit.value.grouped(by: "_"))",
            ]
        }
        text = generatedMark + (["extension Limits {"] + lines + ["}"]).joined(separator: "\n") + "\n"
    }
}

extension Int {
    /// The number with its digits in groups of three: `1,024`.
    func grouped(by separator: String) -> String {
        let digits = Array(String(self))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[Swift.max(0, $0 - 3)..<$0]) }
        return groups.reversed().joined(separator: separator)
    }
}
