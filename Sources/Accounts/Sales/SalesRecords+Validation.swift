package import Store

extension SalesUser {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("created", created)
        findings.check("external_id", uuid: externalID)
        findings.check("role", role, isOneOf: SalesRole.allCases.map(\.rawValue))
        findings.check("email", email) { try SalesRules.email($0).text }
        findings.check("password_hash", hash: passwordHash)
        if isProven == true, !isVerified { findings.refuse("is_proven", "the email is not verified") }
        let texts = [
            ("first_name", firstName, Limits.nameCharactersMax), ("last_name", lastName, Limits.nameCharactersMax),
            ("source", source, Limits.nameCharactersMax), ("phone", phone, Limits.phoneCharactersMax),
            ("brand_id", brandID, Limits.nameCharactersMax),
        ]
        findings.check("referral_code", referralCode) { given in
            let text = try SalesRules.text(given, "referral_code", charactersMax: Limits.codeCharactersMax)
            // A code that the `create_…` methods refuse could not be used to invite anyone.
            return try SalesRules.code(.value(text), "referral_code")
        }
        for (property, text, charactersMax) in texts {
            findings.check(property, text) { try SalesRules.text($0, property, charactersMax: charactersMax) }
        }
        findings.check("locale", locale) { try SalesRules.locale($0, "locale") }
        findings.check("disabled", disabled)
        let isCustomer = role == SalesRole.customer.rawValue
        let isSalesperson = role == SalesRole.salesperson.rawValue
        for (property, text, has) in [
            ("source", source, isCustomer), ("phone", phone, isSalesperson), ("brand_id", brandID, isSalesperson),
        ] where (text != nil) != has {
            findings.refuse(property, has ? "a \(role) has one" : "a \(role) has none")
        }
    }
}

extension Invitation {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("hash", hash, hexOfBytes: SecretToken.Hash.bytesCount)
        findings.check("role", role, isOneOf: SalesRole.allCases.map(\.rawValue))
        if !Limits.invitationUses.contains(usesLeft) {
            findings.refuse("uses_left", "a number from 1 to \(Limits.invitationUsesMax)")
        }
        findings.check("created", created)
        findings.check("expires", expires)
    }
}
