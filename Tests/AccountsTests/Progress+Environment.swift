@testable import Accounts

extension Progress {
    /// Does the rest of the rule's work synchronously, with APIs in which operators need not confirm their email.
    func finished(in environment: Environment) throws -> Value {
        try finished(with: AccountAPIs(environment, AccountSettings(operatorsConfirmEmail: false)))
    }
}
