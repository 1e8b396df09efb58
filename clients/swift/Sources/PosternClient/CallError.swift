import JSON

/// An error reply of the service.
public struct CallError: Error, Equatable, Sendable {
    /// The code of the error in the API; JSON-RPC's own errors are below -32000.
    public let code: Int
    /// The message, for people.
    public let message: String
    /// All slugs of the error; empty for JSON-RPC's own errors.
    public private(set) var errors: [ErrorSlug]
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
        self.errors = data?["errors"]?.array?.compactMap(\.string).map { ErrorSlug(.service, $0) } ?? []
        self.field = data?["field"]?.string
        self.retryAfter = data?["retry_after"]?.int
        self.data = data?.text
    }

    /// The error as the reply to a call of a method: its slugs are those of the method's API.
    func answering(_ method: String) -> CallError {
        var error = self
        error.errors = errors.map { ErrorSlug($0.text, of: method) }
        return error
    }
}

extension CallError: CustomStringConvertible {
    /// The message, with the slug or the code before it.
    public var description: String { "\(slug?.text ?? String(code)): \(message)" }
}

/// The slug of an error of an API. Each slug of the contract is a static property, such as
/// `ErrorSlug.Operators.wrongPassword`; a newer service may have others.
public struct ErrorSlug: Hashable, Sendable {
    /// The API of the error.
    public let api: API
    /// The slug as the service sends it: `wrong_password`.
    public let text: String

    /// Creates a slug of an API from the text that the service sends.
    public init(_ api: API, _ text: String) {
        self.api = api
        self.text = text
    }

    /// The slug in the reply to a method. It belongs to the method's API, or to the service itself, whose errors any
    /// method can end with.
    init(_ text: String, of method: String) {
        let own = API(rawValue: String(method.prefix { $0 != "." })).map { ErrorSlug($0, text) }
        let general = ErrorSlug(.service, text)
        self = Self.known.contains(general) && !Self.known.contains(own ?? general) ? general : own ?? general
    }
}
