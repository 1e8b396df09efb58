/// The settings of the account APIs.
package struct AccountSettings: Sendable {
    /// Whether an operator must confirm the email before signing in.
    package var operatorsConfirmEmail: Bool
    /// The rules for the passwords that accounts set.
    package var passwordPolicy: PasswordPolicy

    package init(operatorsConfirmEmail: Bool = true, passwordPolicy: PasswordPolicy = PasswordPolicy()) {
        self.operatorsConfirmEmail = operatorsConfirmEmail
        self.passwordPolicy = passwordPolicy
    }
}
