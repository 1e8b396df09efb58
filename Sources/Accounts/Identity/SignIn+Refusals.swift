extension SignIn {
    /// The error codes of failed sign-ins.
    package struct Refusals {
        /// The email has no account, or one that does not allow signing in.
        package let unknownEmail: ErrorCode
        /// The password is wrong.
        package let wrongPassword: ErrorCode
        /// The password is right, but the account is disabled.
        package let disabled: ErrorCode
        /// The account is locked after too many failures.
        package let locked: ErrorCode

        package init(unknownEmail: ErrorCode, wrongPassword: ErrorCode, disabled: ErrorCode, locked: ErrorCode) {
            self.unknownEmail = unknownEmail
            self.wrongPassword = wrongPassword
            self.disabled = disabled
            self.locked = locked
        }
    }
}
