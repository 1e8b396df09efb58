/// The settings of the account APIs.
package struct AccountSettings: Sendable {
    /// Whether an operator must confirm the email before signing in.
    package var operatorsConfirmEmail: Bool

    /// Whether notices are mailed, for example of a changed password. False for hosts that send their own.
    package var sendsNotices: Bool

    package init(operatorsConfirmEmail: Bool = true, sendsNotices: Bool = true) {
        self.operatorsConfirmEmail = operatorsConfirmEmail
        self.sendsNotices = sendsNotices
    }
}
