/// What stands for a secret in a text for people.
struct Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<redacted>" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A mirror that shows these members alone.
func mirror<Subject>(of subject: Subject, _ members: [(String, Any)]) -> Mirror {
    Mirror(subject, children: members.map { (label: $0.0, value: $0.1) }, displayStyle: .struct)
}

/// The text that Swift itself gives a structure of those members.
func text(of mirror: Mirror, named name: String) -> String {
    let members = mirror.children.map { "\($0.label ?? ""): \(String(reflecting: $0.value))" }
    return "\(name)(\(members.joined(separator: ", ")))"
}
