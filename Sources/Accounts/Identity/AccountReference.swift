package import Store

/// An account as an administrator names it: `care:a@b.co` or `care:17`.
package struct AccountReference: Sendable {
    /// The API of the account.
    package let realm: Realm
    /// The number or the email, after the colon.
    private let name: String

    /// Nil for a text of another form.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let realm = Realm(rawValue: String(parts[0])), !parts[1].isEmpty else { return nil }
        (self.realm, name) = (realm, String(parts[1]))
    }

    /// The number in the reference; nil if it has an email.
    package var number: Int? { Int(name).flatMap { Key.numbers.contains($0) ? $0 : nil } }

    /// The email in the reference, in lower case; nil if it has a number.
    package var email: String? { Int(name) == nil ? EmailAddress(name)?.canonical : nil }

    package init(_ realm: Realm, _ number: Int) {
        (self.realm, name) = (realm, String(number))
    }

    /// The number of the account. A number need not belong to an account that exists; an email must.
    package func number(in tx: Transaction) throws -> Int? {
        if Int(name) != nil { return number }
        guard let email = EmailAddress(name) else { return nil }
        return try realm.account(of: email.canonical, in: tx)
    }
}
