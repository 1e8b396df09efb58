/// An error that the contract names: its slug, its number on the wire and its words.
///
/// The codes themselves are generated from the error tables in `schema/`.
package struct ErrorCode: Hashable, Sendable {
    /// Whose error it is.
    package let api: API
    /// The error's name in `data.errors`.
    package let slug: String
    /// The number that stands as `code` on the wire.
    package let number: Int
    /// What a person reads; `{Field}` stands for the name of the field at fault.
    package let message: String

    package init(api: API, slug: String, number: Int, message: String) {
        self.api = api
        self.slug = slug
        self.number = number
        self.message = message
    }
}
