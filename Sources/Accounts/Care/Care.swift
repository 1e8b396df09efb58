package import Store

/// The care API: users and clinicians, their patients, and the shares of patients.
package struct Care: AccountAPI {
    package typealias Account = CareUser
    /// An access token.
    package typealias Credential = Given<BearerToken>
    package typealias Rules = CareRules

    package static let realm = Realm.care
    package static let tokenDigits = Limits.accessTokenDigits
    package static let roles = CareRole.allCases.map(\.rawValue)
    package static let confirmation = (purpose: MailedCodes.Purpose.confirm, mail: MailKind.careConfirmation)
    package static let errorCodes = AccountErrorCodes(
        sessionNotFound: ErrorCode.Care.sessionNotFound,
        wrongPassword: ErrorCode.Care.wrongPassword,
        locked: ErrorCode.Care.loginAttemptsExceeded,
        emailTaken: ErrorCode.Care.userAlreadyExists,
        codeInvalid: ErrorCode.Care.invalidCode,
        tooManyMails: ErrorCode.Care.tooManyMails,
        tooManyEmailChanges: ErrorCode.Care.tooManyEmailChanges
    )

    package let environment: Environment
    package let settings: AccountSettings
    package let sessions: Sessions
    package let codes: MailedCodes
    package let signIn: SignIn<CareUser>

    package init(_ environment: Environment, _ settings: AccountSettings = AccountSettings()) {
        self.environment = environment
        self.settings = settings
        sessions = Sessions(.care, perAccountMax: Limits.careSessionsMax, uses: environment.sessionUses)
        codes = MailedCodes(.care)
        self.signIn = SignIn(
            .care,
            in: environment,
            settings,
            sessions: sessions,
            refusals: .init(
                unknownEmail: ErrorCode.Care.wrongEmailPassword,
                wrongPassword: ErrorCode.Care.wrongEmailPassword,
                disabled: ErrorCode.Care.accountDisabled,
                locked: ErrorCode.Care.loginAttemptsExceeded
            ),
            hidesUnknown: true,
            mayEnter: { user, now in user.temporaryUntil.map { $0 > now } ?? true },
            entered: { user, apis, now, tx in try apis.care.proveByTemporaryPassword(user, at: now, in: tx) },
            ofAPI: \.care.signIn
        )
    }

    package init(from apis: AccountAPIs) { self = apis.care }

    /// The user that a request's access token belongs to.
    package func authenticated(_ token: Given<BearerToken>, at now: Timestamp, in tx: Transaction) throws -> CareUser {
        if token.isBlank { throw AccountError(ErrorCode.Care.accessTokenRequired) }
        func invalid() -> AccountError { token.error(ErrorCode.Care.invalidAccessToken) }
        guard let bearer = token.value else { throw invalid() }
        let id = try sessions.account(holding: bearer, at: now, in: tx, orThrow: invalid())
        guard let user = try tx.get(CareUser.self, Key(id)) else { throw invalid() }
        return user
    }

    package static func token(in credential: Given<BearerToken>) -> BearerToken? { credential.value }
}
