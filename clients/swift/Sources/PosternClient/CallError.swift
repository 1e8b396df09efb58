import JSON

/// An error reply of the service.
public struct CallError: Error, Equatable, Sendable {
    /// The code of the error in the API; JSON-RPC's own errors are below -32000.
    public let code: Int
    /// The message, for people.
    public let message: String
    /// All that is wrong, as fixed words; none for JSON-RPC's own errors.
    public private(set) var errors: [ErrorSlug]
    /// The param at fault, by its path: `user.email`.
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

    /// The error as a method's answer: its slugs are those of the method's API.
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

/// What is wrong with a request, as a fixed word of an API. There is a name for each that the contract knows,
/// `ErrorSlug.Operators.wrongPassword`, and a newer service may have others.
public struct ErrorSlug: Hashable, Sendable {
    /// The API whose word it is.
    public let api: API
    /// The word on the wire: `wrong_password`.
    public let text: String

    /// The slug of an API.
    public init(_ api: API, _ text: String) {
        self.api = api
        self.text = text
    }

    /// The slug in a method's answer: the method's API's, or the service's own, which may come from any method.
    init(_ text: String, of method: String) {
        let own = API(rawValue: String(method.prefix { $0 != "." })).map { ErrorSlug($0, text) }
        let general = ErrorSlug(.service, text)
        self = Self.known.contains(general) && !Self.known.contains(own ?? general) ? general : own ?? general
    }
}
