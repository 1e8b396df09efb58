import Foundation
import JSON

/// A validator for the subset of JSON Schema that describes tools' inputs. It throws at any other keyword.
struct PlainSchema {
    struct UnknownKeyword: Error {
        let keyword: String
    }

    let schema: JSONValue

    func accepts(_ value: JSONValue) throws -> Bool { try Self.accepts(value, schema) }

    private static func accepts(_ value: JSONValue, _ schema: JSONValue) throws -> Bool {
        for keyword in schema.object ?? [] {
            let isMet: Bool
            switch keyword.name {
            case "type": isMet = isType(value, keyword.value.string ?? "")
            case "properties":
                isMet = try (value.object ?? []).allSatisfy { property in
                    try keyword.value[property.name].map { try accepts(property.value, $0) } ?? true
                }
            case "required": isMet = (keyword.value.array ?? []).allSatisfy { value[$0.string ?? ""] != nil }
            case "additionalProperties":
                isMet = (value.object ?? []).allSatisfy { schema["properties"]?[$0.name] != nil }
            case "enum": isMet = keyword.value.array?.contains(value) ?? false
            case "minLength": isMet = value.string.map { $0.unicodeScalars.count >= keyword.value.int ?? 0 } ?? true
            case "maxLength": isMet = value.string.map { $0.unicodeScalars.count <= keyword.value.int ?? 0 } ?? true
            case "minimum": isMet = value.int.map { $0 >= keyword.value.int ?? 0 } ?? true
            case "maximum": isMet = value.int.map { $0 <= keyword.value.int ?? 0 } ?? true
            case "pattern":
                let pattern = keyword.value.string ?? ""
                isMet = value.string.map { $0.range(of: pattern, options: .regularExpression) != nil } ?? true
            case "description": isMet = true
            default: throw UnknownKeyword(keyword: keyword.name)
            }
            guard isMet else { return false }
        }
        return true
    }

    private static func isType(_ value: JSONValue, _ name: String) -> Bool {
        switch name {
        case "object": value.object != nil
        case "string": value.string != nil
        case "integer": value.int != nil
        case "boolean": value.bool != nil
        default: false
        }
    }
}
