package import Store

/// Users and clinicians, their patients, and whom these are shared with.
package struct Care {
    let environment: Environment
    let sessions: Sessions
    let codes = MailedCodes(.care)
    let signIn: SignIn<CareUser>

    package init(_ environment: Environment) {
        self.environment = environment
        sessions = Sessions(.care, perAccountMax: 5, expired: environment.expiredSessions)
        self.signIn = SignIn(
            .care,
            in: environment,
            sessions: sessions,
            refusals: .init(
                unknownEmail: ErrorCode.Care.wrongEmailPassword,
                wrongPassword: ErrorCode.Care.wrongEmailPassword,
                locked: ErrorCode.Care.loginAttemptsExceeded
            ),
            hidesUnknown: true
        )
    }

    /// The user whose access token came with a request.
    func authenticated(_ token: Given<String>, at now: Timestamp, in tx: Transaction) throws -> CareUser {
        if token.isBlank { throw AccountError(ErrorCode.Care.accessTokenRequired) }
        guard let text = token.value, let id = try sessions.account(holding: text, at: now, in: tx),
            let user = try tx.get(CareUser.self, Key(id))
        else { throw AccountError(ErrorCode.Care.invalidAccessToken) }
        return user
    }

    func user(of email: EmailAddress, in tx: Transaction) throws -> CareUser? {
        try tx.find(CareUser.byEmail, Key(email.canonical))
    }
}

extension CareUser: PasswordAccount {
    package static let collection = Collection<CareUser>("care.users", isNumbered: true, unique: [byEmail])
    package static let byEmail = UniqueIndex<CareUser>("email", steady: \.email) { Key($0.email.lowercased()) }

    package var key: Key { Key(id) }

    /// Whether the user is a clinician, and may have an npi.
    package var isClinician: Bool { role == "clinician" }
}

extension CarePatient: Record {
    package static let collection = Collection<CarePatient>("care.patients", isNumbered: true)

    package var key: Key { Key(id) }
}

extension CareShare: Record {
    package static let collection = Collection<CareShare>(
        "care.shares",
        isNumbered: true,
        unique: [byEmail],
        ordered: [byUser, byPatient]
    )
    /// A patient's share with an address.
    static let byEmail = UniqueIndex<CareShare>("email", steady: \.email) { Key($0.patient, $0.email.lowercased()) }
    /// What a user can reach, in the order of the patients.
    static let byUser = OrderedIndex<CareShare>("user") { share in share.user.map { Key($0, share.patient) } }
    /// Who can reach a patient, the earliest first.
    static let byPatient = OrderedIndex<CareShare>("patient") { Key($0.patient, $0.id) }

    package var key: Key { Key(id) }

    var isOwners: Bool { group == "owner" }
}
