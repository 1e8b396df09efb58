@testable import Accounts

extension Progress {
    /// Does all that is left of the rule in place, with APIs in which operators need not confirm their email.
    func finished(in environment: Environment) throws -> Value {
        try finished(with: AccountAPIs(environment, AccountSettings(operatorsConfirmEmail: false)))
    }
}
