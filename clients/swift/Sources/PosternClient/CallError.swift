import JSON

/// An error reply of the service.
public struct CallError: Error, Equatable, Sendable {
    /// The code of the error in the API; JSON-RPC's own errors are below -32000.
    public let code: Int
    /// The message, for people.
    public let message: String
    /// All slugs of the error; empty for JSON-RPC's own errors.
    public let errors: [ErrorSlug]
    /// The path of the invalid param: `user.email`.
    public let field: String?
    /// How many seconds to wait before a retry.
    public let retryAfter: Int?
    /// The error's data, as JSON text.
    public let data: String?

    /// The first slug; nil for JSON-RPC's own errors.
    public var slug: ErrorSlug? { errors.first }

    /// Reads the error of a reply; nil if it has no code or no message.
    init?(_ error: JSONValue) {
        guard let code = error["code"]?.int, let message = error["message"]?.string else { return nil }
        let data = error["data"]
        self.code = code
        self.message = message
        self.errors = data?["errors"]?.array?.compactMap(\.string).map { ErrorSlug(rawValue: $0) } ?? []
        self.field = data?["field"]?.string
        self.retryAfter = data?["retry_after"]?.int
        self.data = data?.text
    }
}

extension CallError: CustomStringConvertible {
    /// The message, with the slug or the code before it.
    public var description: String { "\(slug?.rawValue ?? String(code)): \(message)" }
}

/// The slug of an error. Each slug of the contract is a static property; a newer service may have others.
public struct ErrorSlug: RawRepresentable, Hashable, Sendable {
    /// The slug as the service sends it: `wrong_password`.
    public let rawValue: String

    /// Creates a slug from the text that the service sends.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}
