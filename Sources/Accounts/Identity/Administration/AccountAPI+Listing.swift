import Store

/// A place in the list of all accounts, from which a page is read.
struct ListedAccounts {
    /// The number that the page's accounts follow.
    var after: Int
    /// How many accounts may still be listed.
    var room: Int
    /// How many accounts may still be read.
    var reads: Int
    var found: [AccountSummary] = []

    /// How many accounts are read at a time.
    static let readsAtOnce = 100
}

/// Listing and searching accounts.
extension AccountAPI {
    /// Lists the API's accounts, in the order of their numbers, until the page is full.
    ///
    /// - Parameter text: a text in lower case that the email or the name must contain; nil lists all.
    /// - Returns: whether all accounts of the API were read.
    func list(_ list: inout ListedAccounts, containing text: String?, in tx: Transaction) throws -> Bool {
        while list.room > 0, list.reads > 0 {
            let atOnce = min(ListedAccounts.readsAtOnce, list.reads, text == nil ? list.room : .max)
            guard list.after < Key.numbers.upperBound else { return true }
            let page = try tx.all(Account.self, from: Key(list.after + 1), limit: atOnce)
            for account in page {
                guard list.room > 0 else { return false }
                list.after = account.id
                list.reads -= 1
                if let text, !account.contains(text) { continue }
                list.found.append(Self.summary(of: account))
                list.room -= 1
            }
            if page.count < atOnce { return true }
        }
        return false
    }
}

extension PasswordAccount {
    /// Whether the email or the name contains a text in lower case.
    fileprivate func contains(_ text: String) -> Bool {
        email.lowercased().hasText(text) || names.joined(separator: " ").lowercased().hasText(text)
    }
}

extension String {
    /// Whether the text has another one in it, byte for byte.
    fileprivate func hasText(_ text: String) -> Bool {
        let (all, part) = (Array(utf8), Array(text.utf8))
        guard let first = part.first else { return true }
        guard all.count >= part.count else { return false }
        return (0...all.count - part.count).contains { start in
            all[start] == first && all[start..<start + part.count].elementsEqual(part)
        }
    }
}
