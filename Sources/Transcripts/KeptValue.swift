import JSON

/// An entry of `keep`: a name, and the place of the value in a message.
///
///     "session": "/result/session_id"
///     "code": {"at": "/result/messages/0/text", "match": "code=(\\S+)"}
///
/// A place is a JSON pointer (RFC 6901). With an expression, the value is its first group in the string there.
struct KeptValue: Sendable {
    let name: String
    /// The pointer's reference tokens, unescaped.
    private let path: [String]
    private let pointer: String
    /// A regular expression; nil to keep the value as it is.
    private let pattern: String?

    /// A fault in the entry.
    struct Fault: Error {
        let reason: String
    }

    init(_ property: JSONValue.Property) throws(Fault) {
        name = property.name
        guard Placeholder.isName(name) else {
            throw Fault(reason: "a kept name has only letters, digits and underscores, unlike \(name)")
        }
        let pattern = property.value["match"]?.string
        guard let pointer = property.value.string ?? property.value["at"]?.string,
            property.value.object.map({ $0.count == (pattern == nil ? 1 : 2) }) ?? true
        else { throw Fault(reason: #"keep \#(name): expected a pointer or {"at": POINTER, "match": EXPRESSION}"#) }
        guard pointer.isEmpty || pointer.hasPrefix("/") else {
            throw Fault(reason: "keep \(name): a pointer begins with /, as in /result/id")
        }
        (self.pointer, self.pattern) = (pointer, pattern)
        path = pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        if let pattern {
            do {
                _ = try Regex(pattern)
            } catch {
                throw Fault(reason: "keep \(name): match is no regular expression: \(error)")
            }
        }
    }

    /// The value in a message; nil if the message has none at the place. `.none` is written because a `nil` literal can
    /// also be the JSON value `null`.
    func find(in message: JSONValue) -> JSONValue? {
        var target = message
        for name in path {
            if let elements = target.array {
                guard let index = Int(name), "\(index)" == name, elements.indices.contains(index) else {
                    return .none
                }
                target = elements[index]
            } else {
                guard let value = target[name] else { return .none }
                target = value
            }
        }
        guard let pattern else { return target }
        guard let text = target.string else { return .none }
        do {
            // By scalars: a line end of mails, CR LF, is one Character.
            let match = try text.firstMatch(of: Regex(pattern).matchingSemantics(.unicodeScalar))
            guard let output = match?.output, output.count > 1 else { return .none }
            return output[1].substring.map { .string(String($0)) }
        } catch {
            return .none
        }
    }

    /// Where the value is looked for, for messages.
    var place: String { pattern.map { "\(pointer), matching \($0)" } ?? pointer }
}
