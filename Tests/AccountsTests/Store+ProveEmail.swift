import PosternTesting
import Store
import Testing

@testable import Accounts

extension Store {
    /// Proves the email of an account, as the use of a mailed code does, but without a mail and an event.
    func proveEmail<Account: PasswordAccount>(of type: Account.Type, _ email: String) throws {
        try transact { tx in
            var account = try #require(try tx.find(Account.byEmail, Key(email.lowercased())))
            account.proveEmail(account.email)
            try tx.update(account)
        }
    }
}
