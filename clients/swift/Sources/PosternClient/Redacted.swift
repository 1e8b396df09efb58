/// Shown in place of a secret in debug output.
struct Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "[redacted]" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A mirror that shows only these properties.
func mirror<Subject>(of subject: Subject, _ properties: [(String, Any)]) -> Mirror {
    Mirror(subject, children: properties.map { (label: $0.0, value: $0.1) }, displayStyle: .struct)
}

/// The text that Swift shows for a structure with these properties.
func debugText(of mirror: Mirror, named name: String) -> String {
    let properties = mirror.children.map { "\($0.label ?? ""): \(String(reflecting: $0.value))" }
    return "\(name)(\(properties.joined(separator: ", ")))"
}
