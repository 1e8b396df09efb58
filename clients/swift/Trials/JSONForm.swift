package import JSON
import PosternClient

/// An argument of a method, made of JSON.
protocol FittingValue {
    /// Nil where the JSON does not fit.
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

/// A result, turned back into JSON.
protocol WrittenValue {
    func write(to writer: inout JSONWriter)
}

/// One of a few strings.
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
    /// JSON text that the client has handed on or written; null where it is none, which no comparison lets pass.
    init(handedOn text: String) {
        do {
            self = try JSONValue(parsing: text)
        } catch {
            self = .null
        }
    }

    /// Whether it is an object with none but these members.
    func hasOnly(_ names: [String]) -> Bool {
        object?.allSatisfy { names.contains($0.name) } ?? false
    }

    /// A member that must be there; nil where it does not fit.
    func required<Value: FittingValue>(_ name: String, _ type: Value.Type) -> Value? {
        self[name].flatMap { Value(fitting: $0) }
    }

    /// A member that may be left out, and is nil then; nothing at all where it does not fit.
    func optional<Value: FittingValue>(_ name: String, _ type: Value.Type) -> Value?? {
        guard let value = self[name] else { return .some(nil) }
        return Value(fitting: value).map { .some($0) }
    }

    /// The value with sorted names, no spaces, and no escape that JSON does not ask for.
    package var canonicalText: String {
        switch self {
        case .array(let elements): "[" + elements.map(\.canonicalText).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                .map { JSONValue.string($0.name).canonicalText + ":" + $0.value.canonicalText }
                .joined(separator: ",") + "}"
        case .string(let text):
            // The writer escapes these two for the sake of readers that take them for line ends.
            "\""
                + text.unicodeScalars.map { scalar in
                    guard scalar != "\u{2028}", scalar != "\u{2029}" else { return String(scalar) }
                    // By scalars: a joiner is one character with the quote before it.
                    let quoted = JSONValue.string(String(scalar)).text.unicodeScalars
                    return String(String.UnicodeScalarView(quoted.dropFirst().dropLast()))
                }.joined() + "\""
        default: text
        }
    }
}
