/// The name of a type in schema/: `string`, `string?` for a value that may be null, `[Client]` for a list.
struct TypeName {
    let base: String
    let isNullable: Bool
    let isList: Bool

    init(_ text: String) {
        isNullable = text.hasSuffix("?")
        let plain = isNullable ? text.dropLast() : text[...]
        isList = plain.hasPrefix("[") && plain.hasSuffix("]")
        base = String(isList ? plain.dropFirst().dropLast() : plain)
    }
}
