/// A request that an account API refuses, for reasons that its caller can act on.
package struct AccountError: Error, Equatable, Sendable {
    /// All that is wrong, the most important first; never empty.
    package let codes: [ErrorCode]
    /// The member at fault, dotted from the top of the params, where there is one.
    package let field: String?
    /// How many seconds to wait before the request may be let through, where waiting helps.
    package let retryAfter: Int?

    package init(_ code: ErrorCode, field: String? = nil, retryAfter: Int? = nil) {
        self.codes = [code]
        self.field = field
        self.retryAfter = retryAfter
    }

    /// An error of several codes, or nil where there are none.
    package init?(all codes: [ErrorCode]) {
        guard !codes.isEmpty else { return nil }
        self.codes = codes
        self.field = nil
        self.retryAfter = nil
    }

    /// The words of the most important code, with the field's name filled in: `user.first_name` reads "First name".
    package var message: String {
        guard let field, let last = field.split(separator: ".").last else { return codes[0].message }
        let words = last.split(separator: "_").joined(separator: " ")
        let name = words.prefix(1).uppercased() + words.dropFirst()
        return codes[0].message.split(separator: "{Field}", omittingEmptySubsequences: false).joined(separator: name)
    }
}
