import Store

/// What a request gives of a person's name.
package struct NameFields {
    let first, last: Given<String>

    package init(first: Given<String>, last: Given<String>) {
        self.first = first
        self.last = last
    }
}

/// What a request gives of a new account. The members that a role does not have are nil.
package struct NewSalesUser {
    let email, referralCode: Given<String>
    let password: Given<Password>
    let name: Given<NameFields>
    let source, phone, brandID: Given<String>?

    package init(
        email: Given<String>,
        password: Given<Password>,
        referralCode: Given<String>,
        name: Given<NameFields>,
        source: Given<String>? = nil,
        phone: Given<String>? = nil,
        brandID: Given<String>? = nil
    ) {
        self.email = email
        self.password = password
        self.referralCode = referralCode
        self.name = name
        self.source = source
        self.phone = phone
        self.brandID = brandID
    }
}

/// Creating accounts, by referral.
extension Sales {
    /// Creates an account, in this order of checks: the request, the code, its owner's role, the email.
    ///
    /// - Returns: the account, and its api key; a customer, who has to verify the email first, gets none.
    package func create(_ role: SalesRole, _ given: NewSalesUser) throws -> (user: SalesUser, key: SecretToken?) {
        let email = try SalesRules.email(given.email)
        let password = try SalesRules.password(given.password)
        let code = try SalesRules.code(
            given.referralCode,
            "referral_code",
            charactersMax: Limits.nameCharactersMax
        )
        let source = try given.source.map { try SalesRules.text($0, "source", charactersMax: Limits.nameCharactersMax) }
        let name = try SalesRules.name(given.name)
        let phone = try given.phone.map { try SalesRules.text($0, "phone", charactersMax: Limits.phoneCharactersMax) }
        let brand = try given.brandID.map {
            try SalesRules.text($0, "brand_id", charactersMax: Limits.nameCharactersMax)
        }
        let start = environment.time.now
        try environment.store.transact { _ = try check(role, code: code, email: email, at: start, in: $0) }

        let hash = try environment.hasher.hash(password)
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        let key = role == .customer ? nil : newKey()
        let (externalID, ownCode) = (environment.random.uuid(), environment.random.hex(bytes: 16))
        let user = try environment.store.transact { tx in
            let invitation = try check(role, code: code, email: email, at: now, in: tx)
            if let invitation { try use(invitation, in: tx) }
            let user = SalesUser(
                id: try tx.nextNumber(of: SalesUser.self),
                externalID: externalID,
                created: now,
                role: role.rawValue,
                email: email.text,
                passwordHash: hash.text,
                isVerified: role != .customer,
                firstName: name.first,
                lastName: name.last,
                referralCode: ownCode,
                source: source,
                phone: phone,
                brandID: brand
            )
            try tx.insert(user)
            if let key { try sessions.open(key, for: user.id, at: now, in: tx) }
            if role == .customer, let seconds = try send(.verify, mail, to: user, at: now, in: tx) {
                throw AccountError(ErrorCode.Sales.tooManyMails, retryAfter: seconds)
            }
            return user
        }
        return (user, key)
    }

    /// Checks who invites.
    ///
    /// - Returns: the invitation whose code it is; nil for an account's own code.
    private func check(
        _ role: SalesRole,
        code: String,
        email: EmailAddress,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Invitation? {
        let owner = try tx.find(SalesUser.byReferralCode, Key(code))
        let invitation = owner == nil ? try self.invitation(code, at: now, in: tx) : nil
        guard let inviter = (owner?.role ?? invitation?.role).flatMap({ SalesRole(rawValue: $0) }) else {
            throw AccountError(ErrorCode.Sales.invalidReferralCode)
        }
        guard inviter.mayInvite(role) else { throw AccountError(ErrorCode.Sales.insufficientAuthorization) }
        guard try user(of: email, in: tx) == nil else { throw AccountError(ErrorCode.Sales.userAlreadyExists) }
        return invitation
    }
}

/// The rules for single members: what is missing, blank or does not fit is an invalid request.
enum SalesRules {
    static func text(_ given: Given<String>, _ field: String, charactersMax: Int) throws -> String {
        guard !given.isBlank, let text = given.text(charactersMax: charactersMax) else { throw invalid(given, field) }
        return text
    }

    /// A token or a referral code, without white space around it.
    static func code(
        _ given: Given<String>,
        _ field: String,
        charactersMax: Int = Limits.codeCharactersMax
    ) throws -> String {
        guard !given.isBlank, let code = given.code(charactersMax: charactersMax) else { throw invalid(given, field) }
        return code
    }

    static func name(_ given: Given<NameFields>) throws -> (first: String, last: String) {
        guard let name = given.value else { throw invalid(given, "name") }
        return (
            try text(name.first, "name.first", charactersMax: Limits.nameCharactersMax),
            try text(name.last, "name.last", charactersMax: Limits.nameCharactersMax)
        )
    }

    static func email(_ given: Given<String>) throws -> EmailAddress {
        guard let email = given.value.flatMap({ EmailAddress($0) }) else { throw invalid(given, "email") }
        return email
    }

    static func password(_ given: Given<Password>) throws -> Password {
        guard let password = given.password else { throw invalid(given, "password") }
        return password
    }

    /// The refusal of a value, which names the JSON type that is expected where that is wrong.
    static func invalid<Value>(_ given: Given<Value>, _ field: String) -> AccountError {
        AccountError(ErrorCode.Sales.invalidRequest, field: field, expectedType: given.expectedType)
    }
}
