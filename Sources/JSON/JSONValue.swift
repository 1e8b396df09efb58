/// A JSON value as a tree, for code where convenience matters more than speed.
///
/// Objects keep the order of their properties, and numbers keep their text.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Property])

    /// One property of an object.
    package struct Property: Equatable, Sendable {
        /// The property's name.
        package var name: String
        /// The property's value.
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Parses a whole text.
    package init(parsing text: some Collection<UInt8>, depthMax: Int = 128) throws(JSONError) {
        let result = ContiguousArray(text).withUnsafeBytes { bytes -> Result<JSONValue, JSONError> in
            var reader = JSONReader(bytes, depthMax: depthMax)
            do throws(JSONError) {
                let value = try JSONValue(reading: &reader)
                try reader.finish()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    /// Parses a whole text.
    package init(parsing text: String) throws(JSONError) {
        try self.init(parsing: text.utf8)
    }

    /// Reads the next value.
    package init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .null:
            try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool())
        case .number: self = .number(String(decoding: try reader.number().bytes, as: UTF8.self))
        case .string: self = .string(try reader.text().string)
        case .array:
            var elements: [JSONValue] = []
            try reader.beginArray()
            while try reader.nextElement() { elements.append(try JSONValue(reading: &reader)) }
            self = .array(elements)
        case .object:
            var properties: [Property] = []
            try reader.beginObject()
            while let name = try reader.nextProperty() {
                properties.append(Property(name.string, try JSONValue(reading: &reader)))
            }
            self = .object(properties)
        }
    }

    // MARK: Accessors

    /// The value of an object's first property with this name; nil if there is none, and for a value that is not an
    /// object.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let properties) = self else { return nil }
        return properties.first { $0.name == name }?.value
    }

    /// The string; nil for any other value.
    package var string: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }

    /// The integer that fits in 64 bits; nil for any other value.
    package var int: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The boolean; nil for any other value.
    package var bool: Bool? {
        guard case .bool(let bool) = self else { return nil }
        return bool
    }

    /// The elements of an array; nil for any other value.
    package var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The properties of an object; nil for any other value.
    package var object: [Property]? {
        guard case .object(let properties) = self else { return nil }
        return properties
    }

    // MARK: Writing

    /// Writes the value in its shortest form.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let bool): writer.bool(bool)
        case .number(let text): writer.raw(Array(text.utf8))
        case .string(let string): writer.string(string)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let properties):
            writer.beginObject()
            for property in properties {
                writer.property(named: property.name)
                property.value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    /// The value in its shortest form.
    package var text: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The value on several lines, indented by two spaces per level, without a final line feed.
    package var prettyText: String {
        pretty(indentedBy: 0)
    }

    private func pretty(indentedBy level: Int) -> String {
        let indent = String(repeating: "  ", count: level + 1)
        let close = "\n" + String(repeating: "  ", count: level)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            let lines = elements.map { indent + $0.pretty(indentedBy: level + 1) }
            return "[\n" + lines.joined(separator: ",\n") + close + "]"
        case .object(let properties) where !properties.isEmpty:
            let lines = properties.map {
                indent + JSONValue.string($0.name).text + ": " + $0.value.pretty(indentedBy: level + 1)
            }
            return "{\n" + lines.joined(separator: ",\n") + close + "}"
        default:
            return text
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Property($0.0, $0.1) })
    }
}
