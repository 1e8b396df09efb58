package import JSON
import PosternClient

/// An argument of a method, made from JSON.
protocol FittingValue {
    /// Nil if the JSON does not have the type.
    init?(fitting value: JSONValue)
}

extension String: FittingValue {
    init?(fitting value: JSONValue) {
        guard let string = value.string else { return nil }
        self = string
    }
}

extension Int: FittingValue {
    init?(fitting value: JSONValue) {
        guard let int = value.int else { return nil }
        self = int
    }
}

extension Bool: FittingValue {
    init?(fitting value: JSONValue) {
        guard let bool = value.bool else { return nil }
        self = bool
    }
}

extension JSONObject: FittingValue {
    init?(fitting value: JSONValue) {
        do {
            try self.init(text: value.text)
        } catch {
            return nil
        }
    }
}

/// A result that can be written as JSON.
protocol WrittenValue {
    func write(to writer: inout JSONWriter)
}

extension JSONObject: WrittenValue {
    func write(to writer: inout JSONWriter) {
        writer.raw(Array(text.utf8))
    }
}

/// A string from a list of choices.
protocol ChoiceValue: Choice, FittingValue, WrittenValue {}

extension ChoiceValue {
    init?(fitting value: JSONValue) {
        guard let string = value.string else { return nil }
        self.init(rawValue: string)
    }

    func write(to writer: inout JSONWriter) {
        writer.string(rawValue)
    }
}

extension WrittenValue {
    var json: JSONValue {
        var writer = JSONWriter()
        write(to: &writer)
        return JSONValue(handedOn: String(decoding: writer.bytes, as: UTF8.self))
    }
}

extension JSONValue {
    /// Parses JSON text that the client returned or wrote; null if it is not JSON, which fails every comparison.
    init(handedOn text: String) {
        do {
            self = try JSONValue(parsing: text)
        } catch {
            self = .null
        }
    }

    /// Whether it is an object without properties other than these.
    func hasOnly(_ names: [String]) -> Bool {
        object?.allSatisfy { names.contains($0.name) } ?? false
    }

    /// A required property; nil if it is missing or does not have the type.
    func required<Value: FittingValue>(_ name: String, _ type: Value.Type) -> Value? {
        self[name].flatMap { Value(fitting: $0) }
    }

    /// An optional property: `.some(nil)` if it is missing, and nil if it does not have the type.
    func optional<Value: FittingValue>(_ name: String, _ type: Value.Type) -> Value?? {
        guard let value = self[name] else { return .some(nil) }
        return Value(fitting: value).map { .some($0) }
    }

    /// The value as text with sorted names, without spaces, and without escapes that JSON does not require.
    package var canonicalText: String {
        switch self {
        case .array(let elements): "[" + elements.map(\.canonicalText).joined(separator: ",") + "]"
        case .object(let properties):
            "{"
                + properties.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                .map { JSONValue.string($0.name).canonicalText + ":" + $0.value.canonicalText }
                .joined(separator: ",") + "}"
        case .string(let text):
            // The writer escapes these two because some readers treat them as line ends.
            "\""
                + text.unicodeScalars.map { scalar in
                    guard scalar != "\u{2028}", scalar != "\u{2029}" else { return String(scalar) }
                    // By scalars, because a joiner forms one character with the quote before it.
                    let quoted = JSONValue.string(String(scalar)).text.unicodeScalars
                    return String(String.UnicodeScalarView(quoted.dropFirst().dropLast()))
                }.joined() + "\""
        default: text
        }
    }
}
