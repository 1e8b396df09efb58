/// The settings of the account APIs.
package struct AccountSettings: Sendable {
    /// Whether an operator must confirm the email before signing in.
    package var operatorsConfirmEmail: Bool
    /// The rules for the passwords that accounts set.
    package var passwordPolicy: PasswordPolicy

    /// Whether notices are mailed, for example of a changed password. False for hosts that send their own.
    package var sendsNotices: Bool

    /// How long the audit trail is.
    package var auditBounds: AuditBounds

    package init(
        operatorsConfirmEmail: Bool = true,
        passwordPolicy: PasswordPolicy = PasswordPolicy(),
        sendsNotices: Bool = true,
        auditBounds: AuditBounds = AuditBounds()
    ) {
        self.operatorsConfirmEmail = operatorsConfirmEmail
        self.passwordPolicy = passwordPolicy
        self.sendsNotices = sendsNotices
        self.auditBounds = auditBounds
    }
}
