import JSON
import Service

/// The params of `postern call`, in one of three forms:
///
///     '{"user_id":1,"client":{"address":"14 Barnesdale Rd."}}'     JSON
///     user_id=1 client.address='14 Barnesdale Rd.'                 properties; a dot separates nested names
///     -                                                            JSON on stdin
///
/// A value `@FILE` is the text of a file without its last line end (LF or CRLF), and `@-` that of stdin. They keep
/// secrets out of the command line, which every user of the machine can read. The contract decides whether a value is
/// read as a string or as another JSON type.
struct CallParams {
    /// The params, as one JSON object.
    private(set) var value: JSONValue = [:]

    /// - Parameters:
    ///   - words: the arguments after the method's name.
    ///   - method: the method's name, which gives the types of the params.
    init(_ words: ArraySlice<String>, of method: String) throws(CommandError) {
        guard let first = words.first else { return }
        if words.count == 1, first == "-" {
            value = try Self.json(try TextFile.standardInput(prompt: nil), "stdin: ")
        } else if words.count == 1, !Self.isProperty(first) {
            value = try Self.json(first, "")
        } else {
            try read(words, Self.schema(of: method))
        }
    }

    /// Whether a word has the form `NAME=VALUE`. No JSON text has this form.
    private static func isProperty(_ word: String) -> Bool {
        guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")), equals > word.utf8.startIndex else {
            return false
        }
        return word.utf8[..<equals].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    private mutating func read(_ words: ArraySlice<String>, _ schema: JSONValue?) throws(CommandError) {
        var readsInput = false
        for word in words {
            guard Self.isProperty(word), let equals = word.firstIndex(of: "=") else {
                // The word may be a secret, so the message does not repeat it.
                throw .usage("postern call takes params as NAME=VALUE, or as one argument of JSON")
            }
            let path = word[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            var text = String(word[word.index(after: equals)...])
            if text == "@-" {
                if readsInput { throw .usage("only one value can be read from stdin") }
                readsInput = true
                text = try TextFile.standardInput(prompt: String(word[..<equals])).withoutLastLineEnd
            } else if text == "@" {
                throw .usage("@ needs the name of a file, as in \(word[..<equals])=@FILE")
            } else if text.hasPrefix("@") {
                text = try TextFile.contents(of: String(text.dropFirst())).withoutLastLineEnd
            }
            let property = path.reduce(schema) { schema, name in schema?["properties"]?[name] }
            try set(Self.value(of: text, as: property), at: path[...], in: &value)
        }
    }

    /// Converts a text to the type that the contract states. A param that the contract does not have is a string.
    private static func value(of text: String, as schema: JSONValue?) -> JSONValue {
        let type = schema?["type"]
        let types = type?.array?.compactMap(\.string) ?? [type?.string].compactMap { $0 }
        if types.isEmpty || types.contains("string") { return .string(text) }
        do throws(JSONError) {
            return try JSONValue(parsing: text)
        } catch {
            // The method then rejects the string and reports the type that it expects.
            return .string(text)
        }
    }

    private func set(_ new: JSONValue, at path: ArraySlice<String>, in object: inout JSONValue) throws(CommandError) {
        guard let name = path.first, !name.isEmpty, var properties = object.object else {
            throw .usage("invalid name of a param: \(path.joined(separator: "."))")
        }
        let index = properties.firstIndex { $0.name == name }
        if path.count == 1 {
            if index != nil { throw .usage("the param \(name) is given twice") }
            properties.append(JSONValue.Property(name, new))
        } else {
            let index = index ?? properties.count
            if index == properties.count { properties.append(JSONValue.Property(name, [:])) }
            try set(new, at: path.dropFirst(), in: &properties[index].value)
        }
        object = .object(properties)
    }

    private static func json(_ text: String, _ place: String) throws(CommandError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: text)
        } catch {
            // The text may contain a secret, so the message does not repeat it.
            throw .usage(
                "\(place)the params are not JSON: \(error.explanation) at byte \(error.offset); they are NAME=VALUE, as in "
                    + #"email=a@b.co, or JSON, as in '{"email":"a@b.co"}', or - for JSON on stdin"#
            )
        }
    }

    /// The schema of a method's params, as the schema of one object; nil for an unknown method.
    private static func schema(of method: String) -> JSONValue? {
        do throws(JSONError) {
            let document = try JSONValue(parsing: OpenRPCDocument.text)
            let found = document["methods"]?.array?.first { $0["name"]?.string == method }
            let params = found?["params"]?.array ?? []
            let properties = params.compactMap { param in
                param["name"]?.string.map { JSONValue.Property($0, param["schema"] ?? [:]) }
            }
            return found == nil ? nil : ["properties": .object(properties)]
        } catch {
            return nil
        }
    }
}

extension String {
    /// The text without the LF or CRLF at its end. It compares bytes, because CRLF is one Character.
    var withoutLastLineEnd: String {
        guard utf8.last == UInt8(ascii: "\n") else { return self }
        let text = utf8.dropLast()
        return String(decoding: text.last == UInt8(ascii: "\r") ? text.dropLast() : text, as: UTF8.self)
    }
}
