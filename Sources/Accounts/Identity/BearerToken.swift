package import JSON

/// A bearer token of a request, of which only the hash is kept: the token itself is never copied from the request.
package struct BearerToken: Sendable {
    /// The hash of the token without white space around it.
    let hash: SecretToken.Hash
    /// Whether the request gave a text without visible characters.
    let isBlank: Bool

    /// Hashes the token in the request's bytes.
    package init(_ text: JSONText) {
        let bytes = text.bytes
        guard !text.hasEscapes, bytes.count <= Limits.tokenBytesMax, let first = bytes.first, let last = bytes.last,
            first.isVisibleASCII, last.isVisibleASCII
        else {
            self.init(text.string)
            return
        }
        self.init(hash: SecretToken.Hash(of: bytes), isBlank: false)
    }

    package init(_ text: String) {
        // No token is that long, and no token is empty, so the empty text finds no session.
        let token = text.utf8.count <= Limits.tokenBytesMax ? text.trimmedToken : ""
        self.init(hash: SecretToken.Hash(of: token), isBlank: text.isBlank)
    }

    private init(hash: SecretToken.Hash, isBlank: Bool) {
        self.hash = hash
        self.isBlank = isBlank
    }
}

extension SecretToken {
    /// The token as its holder gives it in a request.
    package var bearer: BearerToken { BearerToken(text) }
}

extension Given where Value == BearerToken {
    /// Whether the property is absent, null, or a string without visible characters.
    package var isBlank: Bool { isMissing(or: \.isBlank) }
}
