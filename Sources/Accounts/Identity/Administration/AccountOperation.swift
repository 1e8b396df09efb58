/// An operation of administration on one account.
package struct AccountOperation: Sendable {
    var account: AccountReference
    /// Who asks for it; nil if the request does not say it.
    let actor: String?

    package init(account: Given<String>, actor: Given<String> = .absent) throws {
        self.account = try AdminRules.account(account)
        self.actor = try AdminRules.actor(actor)
    }

    /// The API of the account.
    package var realm: Realm { account.realm }
}
