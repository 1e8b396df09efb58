import JSON

/// An error that the service answered with.
public struct CallError: Error, Equatable, Sendable {
    /// The number of the error, as the API has it, or JSON-RPC's own below -32000.
    public let code: Int
    /// What is wrong, for people.
    public let message: String
    /// All that is wrong, as fixed words; none for JSON-RPC's own errors.
    public let errors: [ErrorSlug]
    /// The param at fault, by its path: `user.email`.
    public let field: String?
    /// After how many seconds it makes sense to try again.
    public let retryAfter: Int?
    /// All that came with the error, as JSON text.
    public let data: String?

    /// The first thing that is wrong; nil for JSON-RPC's own errors.
    public var slug: ErrorSlug? { errors.first }

    /// The error in a reply; nil where it is none.
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

/// What is wrong with a request, as a fixed word. There is a name for each that the contract knows, and a newer service
/// may have others.
public struct ErrorSlug: RawRepresentable, Hashable, Sendable {
    /// The word on the wire: `wrong_password`.
    public let rawValue: String

    /// The slug of that word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}
