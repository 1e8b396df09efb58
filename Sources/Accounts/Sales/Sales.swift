package import Store

/// The sales API: customers, salespeople and internal users, each created with a referral code.
package struct Sales: MailedCodeAPI {
    /// An account and its new session.
    package struct SignedIn: Sendable {
        /// The account.
        package let user: SalesUser
        /// The session's API key, which is returned only this once.
        package let key: SecretToken
    }

    package typealias Account = SalesUser
    /// An API key.
    package typealias Credential = Given<BearerToken>
    package typealias Rules = SalesRules

    package static let realm = Realm.sales
    package static let tokenDigits = Limits.apiKeyDigits
    package static let roles = SalesRole.allCases.map(\.rawValue)
    package static let codeParam = "token"
    package static let confirmation = (purpose: MailedCodes.Purpose.verify, mail: MailKind.salesVerification)
    package static let resetMail = MailKind.salesReset
    package static let errorCodes = AccountErrorCodes(
        sessionNotFound: ErrorCode.Sales.sessionNotFound,
        wrongPassword: ErrorCode.Sales.wrongPassword,
        locked: ErrorCode.Sales.tooManyAttempts,
        emailTaken: ErrorCode.Sales.userAlreadyExists,
        codeInvalid: ErrorCode.Sales.tokenInvalid,
        tooManyMails: ErrorCode.Sales.tooManyMails,
        tooManyEmailChanges: ErrorCode.Sales.tooManyEmailChanges
    )

    package let environment: Environment
    package let settings: AccountSettings
    package let sessions: Sessions
    package let codes: MailedCodes
    package let signIn: SignIn<SalesUser>

    package init(_ environment: Environment, _ settings: AccountSettings = AccountSettings()) {
        self.environment = environment
        self.settings = settings
        sessions = Sessions(.sales, perAccountMax: Limits.sessionsMax, uses: environment.sessionUses)
        codes = MailedCodes(.sales)
        self.signIn = SignIn(
            .sales,
            in: environment,
            settings,
            sessions: sessions,
            refusals: .init(
                unknownEmail: ErrorCode.Sales.authenticationFailed,
                wrongPassword: ErrorCode.Sales.authenticationFailed,
                disabled: ErrorCode.Sales.authenticationFailed,
                locked: ErrorCode.Sales.tooManyAttempts
            ),
            hidesUnknown: true,
            mayEnter: { user, _ in user.isVerified },
            ofAPI: \.sales.signIn
        )
    }

    package init(from apis: AccountAPIs) { self = apis.sales }

    /// The account that a request's API key belongs to.
    ///
    /// - Throws: `not_authenticated`; `invalid_request` if the key is not a string.
    package func authenticated(_ apiKey: Given<BearerToken>, at now: Timestamp, in tx: Transaction) throws -> SalesUser
    {
        if apiKey.expectedType != nil { throw SalesRules.invalid(apiKey, "api_key") }
        func failed() -> AccountError { AccountError(ErrorCode.Sales.notAuthenticated) }
        guard let key = apiKey.value else { throw failed() }
        let id = try sessions.account(holding: key, at: now, in: tx, orThrow: failed())
        guard let user = try tx.get(SalesUser.self, Key(id)) else { throw failed() }
        return user
    }

    package static func token(in credential: Given<BearerToken>) -> BearerToken? { credential.value }
}

extension SalesUser: PasswordAccount {
    package static let collection = Collection<SalesUser>(
        "sales.users",
        isNumbered: true,
        unique: [byEmail, byReferralCode]
    )
    package static let byEmail = UniqueIndex<SalesUser>("email", steady: \.email) { Key($0.email.lowercased()) }
    static let byReferralCode = UniqueIndex<SalesUser>("referral code", steady: \.referralCode) { Key($0.referralCode) }

    /// Only a customer has to verify the email before signing in. In a record of an earlier version, the others count
    /// as unproven until they use a mailed token.
    package var isEmailProven: Bool { isProven ?? (isVerified && role == SalesRole.customer.rawValue) }

    package mutating func proveEmail(_ address: String) {
        email = address
        (isVerified, isProven) = (true, true)
    }

    package var key: Key { Key(id) }

    package var names: [String] { [firstName, lastName] }

    package func describe(in summary: inout AccountSummary) {
        (summary.externalID, summary.role, summary.phone) = (externalID, role, phone)
    }

    package func describe(in details: inout AccountDetails) {
        (details.source, details.brandID, details.referralCode) = (source, brandID, referralCode)
    }
}
