/// An error of the contract: its slug, its number and its message.
///
/// The codes are generated from the error tables in `schema/`.
package struct ErrorCode: Hashable, Sendable {
    /// The API that the error belongs to.
    package let api: API
    /// The error's name in `data.errors`.
    package let slug: String
    /// The `code` of the JSON-RPC error object.
    package let number: Int
    /// The message for people. `{Field}` is replaced by the name of the invalid field.
    package let message: String

    package init(api: API, slug: String, number: Int, message: String) {
        self.api = api
        self.slug = slug
        self.number = number
        self.message = message
    }
}
