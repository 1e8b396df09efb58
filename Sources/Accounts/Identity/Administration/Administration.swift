import Store

/// The operations of administration that are about no single account. Those on one account are in extensions of
/// `AccountAPI`.
package struct Administration {
    let apis: AccountAPIs
    var environment: Environment { apis.environment }

    package init(_ apis: AccountAPIs) {
        self.apis = apis
    }

    /// A page of accounts, API after API, each in the order of their numbers.
    ///
    /// - Parameters:
    ///   - api: the only API whose accounts are listed; absent for all.
    ///   - search: a text that the email or the name of an account must contain.
    ///   - after: the account that the page follows.
    package func accounts(
        api: Given<String>,
        search: Given<String>,
        after: Given<String>,
        limit: Given<Int>
    ) throws -> AccountPage {
        var realms = Realm.allCases[...]
        if !api.isMissing { realms = [try AdminRules.api(api)] }
        let text = try AdminRules.text(search, "search", charactersMax: Limits.emailBytesMax)?.lowercased()
        var start = ListedAccounts(after: 0, room: try AdminRules.limit(limit), reads: Limits.adminSearchMax)
        if !after.isMissing {
            let last = try AdminRules.account(after, "after")
            guard let number = last.number, let place = realms.firstIndex(of: last.realm) else {
                throw AdminRules.invalid(after, "after")
            }
            (realms, start.after) = (realms[place...], number)
        }
        return try environment.store.read { [realms, start] tx in
            var list = start
            for realm in realms {
                if try !apis[realm].list(&list, containing: text, in: tx) {
                    return AccountPage(accounts: list.found, next: "\(realm.rawValue):\(list.after)")
                }
                list.after = 0
            }
            return AccountPage(accounts: list.found, next: nil)
        }
    }
}
