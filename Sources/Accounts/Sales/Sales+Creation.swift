package import JSON
import Store

/// The name in a request.
package struct NameFields {
    let first, last: Given<String>

    package init(first: Given<String>, last: Given<String>) {
        self.first = first
        self.last = last
    }
}

/// The new account in a request. Properties that the role does not have are nil.
package struct NewSalesUser {
    let email, referralCode: Given<String>
    let password: Given<Password>
    let name: Given<NameFields>
    let source, phone, brandID: Given<String>?
    let client: Given<OriginFields>
    let locale: Given<String>

    package init(
        email: Given<String>,
        password: Given<Password>,
        referralCode: Given<String>,
        name: Given<NameFields>,
        source: Given<String>? = nil,
        phone: Given<String>? = nil,
        brandID: Given<String>? = nil,
        client: Given<OriginFields> = .absent,
        locale: Given<String> = .absent
    ) {
        self.email = email
        self.password = password
        self.referralCode = referralCode
        self.name = name
        self.source = source
        self.phone = phone
        self.brandID = brandID
        self.client = client
        self.locale = locale
    }
}

/// A new account whose properties are valid.
private struct ValidSalesUser {
    let role: SalesRole
    let email: EmailAddress
    let referralCode: String
    let name: (first: String, last: String)
    let source, phone, brandID, locale: String?
    let origin: Origin

    /// Checks the properties in the order in which their errors are reported.
    init(_ given: NewSalesUser, _ role: SalesRole, _ email: EmailAddress) throws {
        (self.role, self.email) = (role, email)
        let nameMax = Limits.nameCharactersMax
        referralCode = try SalesRules.code(given.referralCode, "referral_code", charactersMax: nameMax)
        source = try given.source.map { try SalesRules.text($0, "source", charactersMax: nameMax) }
        name = try SalesRules.name(given.name)
        phone = try given.phone.map { try SalesRules.text($0, "phone", charactersMax: Limits.phoneCharactersMax) }
        brandID = try given.brandID.map { try SalesRules.text($0, "brand_id", charactersMax: nameMax) }
        origin = try SalesRules.origin(given.client)
        locale = try SalesRules.locale(given.locale, "locale")
    }
}

/// A new account and its first API key. A customer must verify the email first and gets no key.
package struct CreatedSalesUser {
    package let user: SalesUser
    package let key: SecretToken?
}

/// Creating accounts with a referral code.
extension Sales {
    /// Creates an account. It checks the request, then the referral code, the role of the code's owner, and the email.
    package func create(_ role: SalesRole, _ given: NewSalesUser) throws -> Progress<CreatedSalesUser> {
        let email = try SalesRules.email(given.email)
        let password = try SalesRules.password(given.password)
        let new = try ValidSalesUser(given, role, email)
        try checkPolicy(password, email: email.text, names: [new.name.first, new.name.last])
        let now = environment.time.now
        try environment.store.read { tx in
            _ = try check(new, at: now, in: tx)
            if let seconds = try environment.outbox.secondsUntilRequest(from: new.origin, at: now, in: tx) {
                throw AccountError(ErrorCode.Sales.tooManyMails, retryAfter: seconds)
            }
        }
        return .hash(password) { hash, apis in .done(try apis.sales.create(new, hash)) }
    }

    private func create(_ new: ValidSalesUser, _ hash: PasswordHash) throws -> CreatedSalesUser {
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        let role = new.role
        let key = role == .customer ? nil : newToken()
        let (externalID, ownCode) = (environment.random.uuid(), environment.random.hex(bytes: Limits.codeDigits / 2))
        let user = try environment.store.write { tx in
            let invitation = try check(new, at: now, in: tx)
            if let seconds = try environment.outbox.admitRequest(from: new.origin, mail, at: now, in: tx) {
                throw AccountError(ErrorCode.Sales.tooManyMails, retryAfter: seconds)
            }
            if let invitation { try use(invitation, in: tx) }
            let user = SalesUser(
                id: try tx.nextNumber(of: SalesUser.self),
                externalID: externalID,
                created: now,
                role: role.rawValue,
                email: new.email.text,
                passwordHash: hash.text,
                isVerified: role != .customer,
                isProven: false,
                firstName: new.name.first,
                lastName: new.name.last,
                referralCode: ownCode,
                source: new.source,
                phone: new.phone,
                brandID: new.brandID,
                locale: new.locale,
                disabled: nil
            )
            try tx.insert(user)
            if let key { try openSession(key, for: user.id, from: new.origin, at: now, in: tx) }
            if role == .customer, let seconds = try mailConfirmation(mail, to: user, at: now, in: tx) {
                throw AccountError(ErrorCode.Sales.tooManyMails, retryAfter: seconds)
            }
            try audit.record(.registered, of: user.id, by: .anonymous, from: new.origin, at: now, in: tx)
            return user
        }
        return CreatedSalesUser(user: user, key: key)
    }

    /// Checks the referral code, its owner's role and whether the email is taken.
    ///
    /// - Returns: the invitation that the referral code belongs to; nil if the code belongs to an account.
    private func check(_ new: ValidSalesUser, at now: Timestamp, in tx: Transaction) throws -> Invitation? {
        // All of it at once: the number of round trips to a server must not reveal whose code it is.
        tx.prefetch { announced in
            announced.find(SalesUser.byReferralCode, Key(new.referralCode))
            announced.find(Invitation.byHash, Key(SecretToken.Hash(of: new.referralCode)))
            announceHolder(of: new.email, to: &announced)
        }
        let owner = try tx.find(SalesUser.byReferralCode, Key(new.referralCode)).flatMap {
            $0.disabled == nil ? $0 : nil
        }
        let invitation = owner == nil ? try self.invitation(new.referralCode, at: now, in: tx) : nil
        guard let inviter = (owner?.role ?? invitation?.role).flatMap({ SalesRole(rawValue: $0) }) else {
            throw AccountError(ErrorCode.Sales.invalidReferralCode)
        }
        guard inviter.mayInvite(new.role) else { throw AccountError(ErrorCode.Sales.insufficientAuthorization) }
        if try isTaken(new.email, at: now, in: tx) { throw AccountError(ErrorCode.Sales.userAlreadyExists) }
        return invitation
    }
}

/// The rules for single properties. A missing, blank or invalid value is an invalid request.
package enum SalesRules {
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
        try email(given, "email")
    }

    static func password(_ given: Given<Password>) throws -> Password {
        try password(given, "password")
    }

    /// The error of a new password that the password policy refuses.
    package static func code(of fault: PasswordPolicy.Fault) -> ErrorCode {
        switch fault {
        case .tooShort: ErrorCode.Sales.passwordTooShort
        case .common: ErrorCode.Sales.passwordCommon
        case .personal: ErrorCode.Sales.passwordPersonal
        }
    }

    /// The error for an invalid value. If the JSON type is wrong, the error names the expected type.
    static func invalid<Value>(_ given: Given<Value>, _ field: String) -> AccountError {
        AccountError(ErrorCode.Sales.invalidRequest, field: field, expectedType: given.expectedType)
    }
}

extension SalesRules: AccountRules {
    package static func email(_ given: Given<String>, _ field: String) throws -> EmailAddress {
        guard let email = given.value.flatMap({ EmailAddress($0) }) else { throw invalid(given, field) }
        return email
    }

    package static func code(_ given: Given<String>, _ field: String) throws -> String {
        try code(given, field, charactersMax: Limits.codeCharactersMax)
    }

    package static func invalidOrigin(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(ErrorCode.Sales.invalidRequest, field: field, expectedType: expectedType)
    }

    package static func invalidLifetime(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(ErrorCode.Sales.invalidRequest, field: field, expectedType: expectedType)
    }

    package static func password(_ given: Given<Password>, _ field: String) throws -> Password {
        guard let password = given.password else { throw invalid(given, field) }
        return password
    }

    package static func locale(_ given: Given<String>, _ field: String) throws -> String? {
        try given.locale(orThrow: invalid(given, field))
    }

    package static func sessionNumber(_ given: Given<Int>, _ field: String) throws -> Int {
        guard let number = given.value else { throw invalid(given, field) }
        return number
    }

    package static func metadata(_ given: Given<CompactObject>, _ field: String) throws -> CompactObject {
        guard let object = given.value, object.isMetadata else { throw invalid(given, field) }
        return object
    }
}
