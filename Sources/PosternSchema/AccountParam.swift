import JSON

/// The param that identifies the account of a request.
struct AccountParam {
    /// The kind of the param's value.
    enum Kind: String {
        /// The account's number.
        case number
        /// The account's API, and its number or email.
        case reference
        /// Its email.
        case email
        /// A code from a mail to it.
        case code
        /// A credential of one of its sessions.
        case session
    }

    let kind: Kind
    /// The name of the param, followed by the name of the property if it is a property of the param: `user`, `email`.
    let path: [String]

    /// The param that the method names, or else that of its authentication; nil if neither names one.
    ///
    /// The property determines the kind: an integer is an account's number, a property with the format `email` is an
    /// email, one with the format `account` a reference, a credential of the authentication is a session, and any other
    /// property is a mailed code.
    init?(_ method: JSONValue, in params: [Property], _ authentication: Authentication?) throws {
        guard let text = method["account"]?.string ?? authentication?.account else { return nil }
        let path = text.split(separator: ".").map(String.init)
        self.path = path
        let property = path.dropFirst().reduce(params.first { $0.name == path[0] }) { property, name in
            property?.input?.properties.first { $0.name == name }
        }
        guard let property, (1...2).contains(path.count) else {
            throw SchemaError("\(text) is not a param of \(method.text)")
        }
        if property.type.base == "integer" {
            kind = .number
        } else if property.constraints.contains(where: { $0.name == "format" && $0.value == "email" }) {
            kind = .email
        } else if property.constraints.contains(where: { $0.name == "format" && $0.value == "account" }) {
            kind = .reference
        } else {
            kind = authentication?.params.contains { $0.name == property.name } == true ? .session : .code
        }
    }

    /// `.email("user", "email")`
    var swift: String { ".\(kind)(\(path.map { "\"\($0)\"" }.joined(separator: ", ")))" }
}
