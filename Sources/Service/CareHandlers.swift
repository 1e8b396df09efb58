import Accounts
import JSONRPC

/// The handlers of the methods of `care`.
struct CareHandlers {
    let care: Care

    func userRegister(_ params: CareWire.UserRegisterParams) throws -> Progress<CareUser> {
        try care.register(
            email: params.email,
            password: params.password,
            role: params.role,
            firstName: params.firstName,
            lastName: params.lastName,
            phone: params.phone,
            client: params.client.map { $0.fields },
            locale: params.locale
        )
    }

    func userView(_ params: CareWire.UserViewParams) throws -> CareWire.User {
        CareWire.User(try care.account(params.accessToken))
    }

    func userChange(_ params: CareWire.UserChangeParams) throws -> Progress<CareUser> {
        try care.change(
            params.accessToken,
            firstName: params.firstName,
            lastName: params.lastName,
            phone: params.phone,
            npi: params.npi,
            password: params.password
        )
    }

    func userDelete(_ params: CareWire.UserDeleteParams) throws -> CareWire.User {
        CareWire.User(try care.delete(params.accessToken))
    }

    func userResetPassword(_ params: CareWire.UserResetPasswordParams) throws -> Progress<String> {
        try care.resetPassword(email: params.email, client: params.client.map { $0.fields })
    }

    func userConfirmEmail(_ params: CareWire.UserConfirmEmailParams) throws -> CareWire.ConfirmedEmail {
        CareWire.ConfirmedEmail(email: try care.confirmEmail(params.accessToken, code: params.code))
    }

    func userResendConfirmation(_ params: CareWire.UserResendConfirmationParams) throws {
        try care.resendConfirmation(email: params.email, client: params.client.map { $0.fields })
    }

    func authToken(_ params: CareWire.AuthTokenParams) throws -> Progress<SecretToken> {
        try care.signIn(
            email: params.email,
            password: params.password,
            lifetime: SessionLifetimeFields(seconds: params.sessionSeconds, idleSeconds: params.idleSeconds),
            client: params.client.map { $0.fields }
        )
    }

    func authRevoke(_ params: CareWire.AuthRevokeParams) throws -> CareWire.Done {
        try care.signOut(params.accessToken)
        return CareWire.Done()
    }

    func patientsCreate(_ params: CareWire.PatientsCreateParams) throws -> CareWire.PatientResult {
        let fields = PatientFields(
            firstName: params.firstName,
            lastName: params.lastName,
            birthdate: params.birthdate,
            sex: params.sex,
            phone: params.phone
        )
        return CareWire.PatientResult(try care.createPatient(params.accessToken, fields))
    }

    func patientsList(_ params: CareWire.PatientsListParams) throws -> CareWire.PatientList {
        let list = try care.patients(
            params.accessToken,
            limit: params.limit,
            offset: params.offset,
            replyBytesMax: JSONRPC.Limits.answerBytesMax
        )
        return CareWire.PatientList(patients: list.page.map { CareWire.Patient($0) }, count: list.count)
    }

    func patientsView(_ params: CareWire.PatientsViewParams) throws -> CareWire.PatientResult {
        CareWire.PatientResult(try care.patient(params.accessToken, params.patientID))
    }

    func patientsUpdate(_ params: CareWire.PatientsUpdateParams) throws -> CareWire.PatientResult {
        let fields = PatientFields(
            firstName: params.firstName,
            lastName: params.lastName,
            birthdate: params.birthdate,
            sex: params.sex,
            phone: params.phone
        )
        return CareWire.PatientResult(try care.updatePatient(params.accessToken, params.patientID, fields))
    }

    func patientsDelete(_ params: CareWire.PatientsDeleteParams) throws -> CareWire.PatientResult {
        CareWire.PatientResult(try care.deletePatient(params.accessToken, params.patientID))
    }

    func patientsShare(_ params: CareWire.PatientsShareParams) throws -> CareWire.ShareResult {
        CareWire.ShareResult(
            try care.share(
                params.accessToken,
                params.patientID,
                email: params.email,
                access: params.access,
                group: params.group
            )
        )
    }

    func patientsShares(_ params: CareWire.PatientsSharesParams) throws -> CareWire.ShareList {
        let bytesMax = JSONRPC.Limits.answerBytesMax
        let shares = try care.shares(params.accessToken, params.patientID, replyBytesMax: bytesMax)
        return CareWire.ShareList(shares: shares.map { CareWire.Share($0) }, count: shares.count)
    }

    func patientsUnshare(_ params: CareWire.PatientsUnshareParams) throws -> CareWire.ShareResult {
        CareWire.ShareResult(try care.unshare(params.accessToken, params.patientID, shareID: params.shareID))
    }

    func patientsClaim(_ params: CareWire.PatientsClaimParams) throws -> CareWire.PatientResult {
        CareWire.PatientResult(try care.claim(params.accessToken, code: params.code))
    }
}

extension CareWire.Account {
    init(_ user: CareUser) {
        self.init(
            id: user.id,
            created: user.created,
            email: user.email,
            firstName: user.firstName,
            lastName: user.lastName,
            phone: user.phone,
            role: user.role,
            npi: user.isClinician ? user.npi : nil,
            emailConfirmed: user.isProven,
            locale: user.locale
        )
    }
}

extension CareWire.Registered {
    init(_ user: CareUser) {
        self.init(
            email: user.email,
            firstName: user.firstName,
            lastName: user.lastName,
            phone: user.phone,
            role: user.role
        )
    }
}

extension CareWire.ResetEmail {
    init(_ email: String) {
        self.init(email: email)
    }
}

extension CareWire.AccessToken {
    init(_ token: SecretToken) {
        self.init(accessToken: token.text)
    }
}

extension CareWire.User {
    init(_ user: CareUser) {
        self.init(
            email: user.email,
            firstName: user.firstName,
            lastName: user.lastName,
            phone: user.phone,
            role: user.role,
            npi: user.isClinician ? user.npi : nil
        )
    }
}

extension CareWire.Patient {
    fileprivate init(_ seen: SeenPatient) {
        let patient = seen.patient
        self.init(
            id: patient.id,
            firstName: patient.firstName,
            lastName: patient.lastName,
            birthdate: patient.birthdate,
            sex: patient.sex,
            phone: patient.phone,
            creator: seen.creator,
            me: seen.isMe,
            access: seen.share.access,
            group: seen.share.group
        )
    }
}

extension CareWire.Share {
    fileprivate init(_ share: CareShare) {
        self.init(
            id: share.id,
            email: share.email,
            access: share.access,
            group: share.group,
            isUser: share.user != nil
        )
    }
}

extension CareWire.PatientResult {
    fileprivate init(_ seen: SeenPatient) {
        self.init(CareWire.Patient(seen))
    }
}

extension CareWire.ShareResult {
    fileprivate init(_ share: CareShare) {
        self.init(CareWire.Share(share))
    }
}
