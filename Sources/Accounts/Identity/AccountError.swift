/// The error of a request that an account API refuses for a reason the caller can act on.
package struct AccountError: Error, Sendable {
    /// The error codes, the most important first; never empty.
    package let codes: [ErrorCode]
    /// The dotted path of the invalid property, from the top of the params; nil if the error is not about one property.
    package let field: String?
    /// The seconds to wait before a retry may succeed; nil if waiting does not help.
    package let retryAfter: Int?
    /// The JSON type that the property must have, such as "an integer"; nil if its type is not the problem.
    package let expectedType: String?
    /// The expired session or code in the request. The service deletes it after the request.
    package private(set) var expired: ExpiredSecret?

    package init(_ code: ErrorCode, field: String? = nil, retryAfter: Int? = nil, expectedType: String? = nil) {
        self.codes = [code]
        self.field = field
        self.retryAfter = retryAfter
        self.expectedType = expectedType
    }

    /// Combines several errors into one with all their codes; nil if there are none. The message is that of the first.
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

    /// The message of the most important code, with the field's name filled in (`user.first_name` becomes "First name")
    /// and, if the JSON type is wrong, the expected type.
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
    /// Whether the caller gets the same error. The expired secret is not compared, because the caller does not get it.
    package static func == (left: AccountError, right: AccountError) -> Bool {
        left.codes == right.codes && left.field == right.field && left.retryAfter == right.retryAfter
            && left.expectedType == right.expectedType
    }
}
