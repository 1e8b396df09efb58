/// A request that an account API refuses, for reasons that its caller can act on.
package struct AccountError: Error, Sendable {
    /// All that is wrong, the most important first; never empty.
    package let codes: [ErrorCode]
    /// The member at fault, dotted from the top of the params, where there is one.
    package let field: String?
    /// How many seconds to wait before the request may be let through, where waiting helps.
    package let retryAfter: Int?
    /// The JSON type that the member must have, such as "an integer", where it has another one.
    package let expectedType: String?
    /// The expired session or code that the request was sent with. The service deletes it after the request.
    package private(set) var expired: ExpiredSecret?

    package init(_ code: ErrorCode, field: String? = nil, retryAfter: Int? = nil, expectedType: String? = nil) {
        self.codes = [code]
        self.field = field
        self.retryAfter = retryAfter
        self.expectedType = expectedType
    }

    /// One error with the codes of several, or nil where there are none. The message is that of the first.
    package init?(all errors: [AccountError]) {
        guard let first = errors.first else { return nil }
        codes = errors.flatMap(\.codes)
        field = first.field
        retryAfter = first.retryAfter
        expectedType = first.expectedType
    }

    /// The same error, with the expired secret to delete.
    func refusing(_ expired: ExpiredSecret) -> AccountError {
        var error = self
        error.expired = expired
        return error
    }

    /// The words of the most important code, with the field's name filled in (`user.first_name` reads "First name") and,
    /// where the JSON type is wrong, the one that is expected.
    package var message: String {
        guard let expectedType else { return plainMessage }
        return "\(plainMessage) Expected \(expectedType)."
    }

    private var plainMessage: String {
        guard let field, let last = field.split(separator: ".").last else { return codes[0].message }
        let words = last.split(separator: "_").joined(separator: " ")
        let name = words.prefix(1).uppercased() + words.dropFirst()
        return codes[0].message.split(separator: "{Field}", omittingEmptySubsequences: false).joined(separator: name)
    }
}

extension AccountError: Equatable {
    /// Whether the caller gets the same error: the expired secret is not in it.
    package static func == (left: AccountError, right: AccountError) -> Bool {
        left.codes == right.codes && left.field == right.field && left.retryAfter == right.retryAfter
            && left.expectedType == right.expectedType
    }
}
