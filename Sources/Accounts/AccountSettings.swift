/// The settings of the account APIs.
package struct AccountSettings: Sendable {
    /// Whether an operator must confirm the email before signing in.
    package var operatorsConfirmEmail: Bool

    package init(operatorsConfirmEmail: Bool = true) {
        self.operatorsConfirmEmail = operatorsConfirmEmail
    }
}
