import Accounts

/// The handlers of the methods of `sales`.
struct SalesHandlers {
    let sales: Sales

    func userCreateCustomer(_ params: SalesWire.UserCreateCustomerParams) throws -> Progress<CreatedSalesUser> {
        let new = NewSalesUser(
            email: params.email,
            password: params.password,
            referralCode: params.referralCode,
            name: params.name.map { NameFields($0) },
            source: params.source,
            client: params.client.map { $0.fields },
            locale: params.locale
        )
        return try sales.create(.customer, new)
    }

    func userCreateSalesperson(_ params: SalesWire.UserCreateSalespersonParams) throws -> Progress<CreatedSalesUser> {
        let new = NewSalesUser(
            email: params.email,
            password: params.password,
            referralCode: params.referralCode,
            name: params.name.map { NameFields($0) },
            phone: params.phone,
            brandID: params.brandID,
            client: params.client.map { $0.fields },
            locale: params.locale
        )
        return try sales.create(.salesperson, new)
    }

    func userCreateInternal(_ params: SalesWire.UserCreateInternalParams) throws -> Progress<CreatedSalesUser> {
        let new = NewSalesUser(
            email: params.email,
            password: params.password,
            referralCode: params.referralCode,
            name: params.name.map { NameFields($0) },
            client: params.client.map { $0.fields },
            locale: params.locale
        )
        return try sales.create(.admin, new)
    }

    func userAuthenticate(_ params: SalesWire.UserAuthenticateParams) throws -> Progress<Sales.SignedIn> {
        try sales.authenticate(
            email: params.email,
            password: params.password,
            lifetime: SessionLifetimeFields(seconds: params.sessionSeconds, idleSeconds: params.idleSeconds),
            client: params.client.map { $0.fields }
        )
    }

    func userVerify(_ params: SalesWire.UserVerifyParams) throws -> SalesWire.VerifiedEmail {
        SalesWire.VerifiedEmail(email: try sales.confirmEmail(code: params.token))
    }

    func userMe(_ params: SalesWire.UserMeParams) throws -> SalesWire.Me {
        let user = try sales.account(params.apiKey)
        let name = SalesWire.Name(first: user.firstName, last: user.lastName)
        return SalesWire.Me(email: user.email, name: name, referralCode: user.referralCode)
    }

    func userUpdateMe(_ params: SalesWire.UserUpdateMeParams) throws {
        try sales.updateMe(apiKey: params.apiKey, name: params.name.map { NameFields($0) })
    }

    func userRenewReferralCode(_ params: SalesWire.UserRenewReferralCodeParams) throws -> SalesWire.ReferralCode {
        SalesWire.ReferralCode(referralCode: try sales.renewReferralCode(apiKey: params.apiKey))
    }

    func userReset(_ params: SalesWire.UserResetParams) throws {
        try sales.resetPassword(email: params.email, client: params.client.map { $0.fields })
    }

    func userCompleteReset(_ params: SalesWire.UserCompleteResetParams) throws -> Progress<Void> {
        try sales.completeReset(
            code: params.token,
            password: params.password,
            client: params.client.map { $0.fields }
        )
    }

    func userResendVerification(_ params: SalesWire.UserResendVerificationParams) throws {
        try sales.resendConfirmation(email: params.email, client: params.client.map { $0.fields })
    }

    func userSignout(_ params: SalesWire.UserSignoutParams) throws {
        try sales.signOut(params.apiKey)
    }
}

extension NameFields {
    fileprivate init(_ input: SalesWire.NameInput) {
        self.init(first: input.first, last: input.last)
    }
}

extension SalesWire.Account {
    init(_ user: SalesUser) {
        self.init(
            externalID: user.externalID,
            created: user.created.seconds,
            role: user.role,
            email: user.email,
            emailConfirmed: user.isVerified,
            name: SalesWire.Name(first: user.firstName, last: user.lastName),
            referralCode: user.referralCode,
            source: user.source,
            phone: user.phone,
            brandID: user.brandID,
            locale: user.locale
        )
    }
}

extension SalesWire.NewKey {
    init(_ key: SecretToken) {
        self.init(apiKey: key.text)
    }
}

extension SalesWire.Created {
    init(_ created: CreatedSalesUser) {
        self.init(
            email: created.user.email,
            created: created.user.created.seconds,
            externalID: created.user.externalID
        )
    }
}

extension SalesWire.Authenticated {
    init(_ signedIn: Sales.SignedIn) {
        self.init(email: signedIn.user.email, apiKey: signedIn.key.text)
    }
}

extension SalesWire.CreatedWithKey {
    init(_ created: CreatedSalesUser) {
        self.init(
            email: created.user.email,
            created: created.user.created.seconds,
            externalID: created.user.externalID,
            apiKey: created.key?.text ?? ""
        )
    }
}
