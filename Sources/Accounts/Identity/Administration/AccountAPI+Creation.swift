import Store

/// The account in a request to create one, with valid properties as far as all APIs have them.
package struct NewAccount: Sendable {
    /// The API of the account.
    package let realm: Realm
    fileprivate let email: EmailAddress
    fileprivate let password: Password?
    /// The account as an import would have it, without a password.
    fileprivate let account: ImportedAccount

    /// - Parameter texts: the properties that not all APIs have.
    package init(
        api: Given<String>,
        email: Given<String>,
        password: Given<Password>,
        texts: [(property: ImportedAccount.Property, text: Given<String>)],
        emailConfirmed: Given<Bool>,
        actor: Given<String>
    ) throws {
        realm = try AdminRules.api(api)
        guard let address = email.value.flatMap({ EmailAddress($0) }) else { throw AdminRules.invalid(email, "email") }
        self.email = address
        switch password {
        case .absent, .null: self.password = nil
        default: self.password = try AdminRules.password(password)
        }
        var account = ImportedAccount(isConfirmed: try AdminRules.flag(emailConfirmed, "email_confirmed"))
        account[.email] = address.text
        for (property, text) in texts {
            let charactersMax = Limits.nameCharactersMax
            account[property] = try AdminRules.text(text, property.rawValue, charactersMax: charactersMax) ?? ""
        }
        account.event = .adminAccountCreated
        account.actor = try AdminRules.actor(actor)
        self.account = account
    }
}

/// Creating accounts.
extension AccountAPI {
    /// Creates an account as an import does: no mail is sent, and no session is opened.
    ///
    /// - Throws: `email_taken`; `invalid_request` for a property that the API refuses or does not have.
    package func create(_ new: NewAccount) throws -> Progress<AccountSummary> {
        let faults = try importFaults(of: new.account)
        guard faults.isEmpty else { throw Self.error(of: faults) }
        guard let password = new.password else { return .done(try add(new.account)) }
        let names = [new.account[.firstName], new.account[.lastName]]
        try passwordPolicy.check(password, email: new.email.text, names: names) { fault in
            AccountError(AdminRules.code(of: fault), field: "password")
        }
        return .hash(password) { hash, apis in
            var account = new.account
            account[.passwordHash] = hash.text
            return .done(try Self(from: apis).add(account))
        }
    }

    private func add(_ account: ImportedAccount) throws -> AccountSummary {
        switch try importAccount(account) {
        case .added(let summary): return summary
        // Another request may have taken the email meanwhile.
        case .refused(let faults): throw Self.error(of: faults)
        }
    }

    /// The error of the first fault.
    private static func error(of faults: [RecordFindings.Fault]) -> AccountError {
        let property = faults.first?.property
        if property == "email" { return AccountError(ErrorCode.Admin.emailTaken) }
        return AccountError(ErrorCode.Admin.invalidRequest, field: property)
    }
}
