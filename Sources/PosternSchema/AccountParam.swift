import JSON

/// The param that tells whose account a request is about.
struct AccountParam {
    /// What the param's value is.
    enum Kind: String {
        /// The account's number.
        case number
        /// Its email.
        case email
        /// A code from a mail to it.
        case code
        /// A credential of one of its sessions.
        case session
    }

    let kind: Kind
    /// The param, and for a property of a param the property behind it: `user`, `email`.
    let path: [String]

    /// The one that a method names, else the one of its authentication; nil where there is neither.
    ///
    /// What the value is follows from the property: an integer is a number, a property of the format `email` an email, a
    /// credential of the authentication a session, and any other a mailed code.
    init?(_ method: JSONValue, in params: [Property], _ authentication: Authentication?) throws {
        guard let text = method["account"]?.string ?? authentication?.account else { return nil }
        let path = text.split(separator: ".").map(String.init)
        self.path = path
        let property = path.dropFirst().reduce(params.first { $0.name == path[0] }) { property, name in
            property?.input?.properties.first { $0.name == name }
        }
        guard let property, (1...2).contains(path.count) else {
            throw SchemaError("\(text) is no param in \(method.text)")
        }
        if property.type.base == "integer" {
            kind = .number
        } else if property.constraints.contains(where: { $0.name == "format" && $0.value == "email" }) {
            kind = .email
        } else {
            kind = authentication?.params.contains { $0.name == property.name } == true ? .session : .code
        }
    }

    /// `.email("user", "email")`
    var swift: String { ".\(kind)(\(path.map { "\"\($0)\"" }.joined(separator: ", ")))" }
}
