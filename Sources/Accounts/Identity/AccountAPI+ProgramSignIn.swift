import Store

/// Signing in to another program, such as a web server or a VPN, which asks whether a person may enter.
///
/// It is a sign-in without a session: it has the same counts, locks and events, and a success replaces an outdated
/// hash. It admits only accounts whose email is proven, because the other program takes the email for the person. A
/// refusal does not say why: an account that is not admitted is refused like an email without one.
extension AccountAPI {
    /// Signs an account in to another program.
    ///
    /// - Parameters:
    ///   - email: the email as the person gave it.
    ///   - password: the password as given.
    ///   - role: the role that the account must have, one of `roles`; nil for any.
    ///   - client: where the request comes from.
    /// - Throws: an `AccountError` if the account may not enter.
    package func signInToProgram(
        email: String,
        password: Password,
        role: String?,
        client: OriginFields
    ) throws -> Progress<AccountSummary> {
        let origin = try Rules.origin(.value(client))
        // As in a request that signs in, these are no guesses, so they are not counted.
        guard let address = EmailAddress(email), let password = Given.value(password).password else {
            throw AccountError(Self.errorCodes.wrongPassword)
        }
        return try signIn.withoutSession(email: address.canonical, password: password, origin: origin) { account in
            Self.isOpenToPrograms(account, role)
        }.map { Self.summary(of: $0) }
    }

    /// Whether an email has an account that may sign in to another program with its password.
    package func mayEnterProgram(email: String, role: String?) throws -> Bool {
        guard let address = EmailAddress(email) else { return false }
        let now = environment.time.now
        return try environment.store.read { tx in
            guard let account = try tx.find(Account.byEmail, Key(address.canonical)) else { return false }
            return signIn.mayEnter(account, at: now) && Self.isOpenToPrograms(account, role)
        }
    }

    private static func isOpenToPrograms(_ account: Account, _ role: String?) -> Bool {
        account.isEmailProven && (role == nil || summary(of: account).role == role)
    }
}
