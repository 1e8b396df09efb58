import JSON

/// `{{name}}` in a string of a transcript, which is replaced by a kept value.
enum Placeholder {
    static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The pieces of a text: each placeholder's name, with the text before it, and the text after the last.
    static func split(_ text: String) -> (placeholders: [(before: Substring, name: String)], rest: Substring) {
        var found: [(Substring, String)] = []
        var (rest, searched) = (text[...], text[...])
        while let start = searched.firstRange(of: "{{") {
            searched = searched[start.upperBound...]
            guard let end = searched.firstRange(of: "}}") else { break }
            let name = searched[..<end.lowerBound]
            guard isName(name) else { continue }
            found.append((rest[..<start.lowerBound], String(name)))
            (rest, searched) = (text[end.upperBound...], text[end.upperBound...])
        }
        return (found, rest)
    }
}

extension JSONValue {
    /// The names of the placeholders in its strings.
    var placeholders: [String] {
        switch self {
        case .string(let text): Placeholder.split(text).placeholders.map(\.name)
        case .array(let elements): elements.flatMap(\.placeholders)
        case .object(let properties): properties.flatMap(\.value.placeholders)
        case .null, .bool, .number: []
        }
    }

    /// A string with `{{` that begins no placeholder, such as `{{ name }}`; nil if there is none.
    var textWithWrongPlaceholder: String? {
        switch self {
        case .string(let text):
            let (placeholders, rest) = Placeholder.split(text)
            return (placeholders.map(\.before) + [rest]).contains { $0.contains("{{") } ? text : nil
        case .array(let elements): return elements.lazy.compactMap(\.textWithWrongPlaceholder).first
        case .object(let properties): return properties.lazy.compactMap(\.value.textWithWrongPlaceholder).first
        case .null, .bool, .number: return nil
        }
    }

    /// The placeholder of a string that matches any value of a kind once it is filled; nil if there is none. A kept
    /// text such as `<string>` would match everything.
    func placeholderOfKind(with kept: [String: JSONValue]) -> String? {
        switch self {
        case .string(let text):
            guard let name = Placeholder.split(text).placeholders.first?.name else { return nil }
            return filled(with: kept).string.flatMap { ValueKind($0) } == nil ? nil : name
        case .array(let elements): return elements.lazy.compactMap { $0.placeholderOfKind(with: kept) }.first
        case .object(let properties):
            return properties.lazy.compactMap { $0.value.placeholderOfKind(with: kept) }.first
        case .null, .bool, .number: return nil
        }
    }

    /// The value with every placeholder replaced by the value kept under its name. A string that is only a placeholder
    /// becomes that value; within a longer string, a value other than a string is written as JSON.
    func filled(with kept: [String: JSONValue]) -> JSONValue {
        switch self {
        case .string(let text):
            let (placeholders, rest) = Placeholder.split(text)
            guard let first = placeholders.first else { return self }
            if placeholders.count == 1, first.before.isEmpty, rest.isEmpty { return kept[first.name] ?? self }
            return .string(
                placeholders.map { before, name in
                    before + (kept[name].map { $0.string ?? $0.text } ?? "{{\(name)}}")
                }.joined() + rest
            )
        case .array(let elements): return .array(elements.map { $0.filled(with: kept) })
        case .object(let properties): return .object(properties.map { Property($0.name, $0.value.filled(with: kept)) })
        case .null, .bool, .number: return self
        }
    }
}
