package import Store

extension CareUser {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("created", created)
        findings.check("email", email) { try CareRules.single(CareRules.email($0)).text }
        findings.check("password_hash", hash: passwordHash)
        findings.check("role", role) { try CareRules.single(CareRules.role($0)) }
        findings.check("first_name", firstName, CareRules.firstName)
        findings.check("last_name", lastName, CareRules.lastName)
        findings.check("phone", phone, CareRules.phone)
        findings.check("npi", npi, CareRules.npi)
        if !npi.isEmpty, !isClinician { findings.refuse("npi", "only a clinician has one") }
        findings.check("temporary_until", temporaryUntil)
        findings.check("locale", locale) { try CareRules.locale($0, "locale") }
        findings.check("disabled", disabled)
        if temporaryUntil != nil, !hasTemporaryPassword {
            findings.refuse("temporary_until", "the password is not one that was mailed")
        }
    }
}

extension CarePatient {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("created", created)
        // The account may be deleted while a job still has to pass its patients on.
        findings.require("owner", CareUser.self, owner, acceptsSubstitute: true)
        if let me {
            findings.check("me", me)
            if me != owner { findings.refuse("me", "not the owner") }
        }
        findings.check("first_name", firstName, CareRules.requiredFirstName)
        findings.check("last_name", lastName, CareRules.lastName)
        let now = SystemTime().now
        findings.check("birthdate", birthdate) { try CareRules.birthdate($0, at: now) }
        findings.check("sex", sex, CareRules.sex)
        findings.check("phone", phone, CareRules.phone)
    }
}

extension CareShare {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.require("patient", CarePatient.self, patient, acceptsSubstitute: true)
        findings.check("email", email) { try CareRules.single(CareRules.email($0)).text }
        if let user { findings.require("user", CareUser.self, user, acceptsSubstitute: true) }
        findings.check("access", access) { try CareRules.single(CareRules.access($0)) }
        if let maker { findings.check("maker", maker) }
        if isOwners {
            if maker != nil { findings.refuse("maker", "an owner's share has no maker") }
            if user == nil { findings.refuse("user", "an owner is a user") }
            if !allowsWriting { findings.refuse("access", "an owner can write") }
        } else {
            findings.check("group", group) { try CareRules.single(CareRules.group($0)) }
        }
    }
}

extension CareJob {
    package func validate(into findings: inout RecordFindings) {
        findings.check("kind", kind, isOneOf: Kind.allCases.map(\.rawValue))
        switch Kind(rawValue: kind) {
        case .account:
            findings.check("subject", subject)
            findings.reportSubstitute(for: CareUser.self, subject)
        case .patient:
            findings.check("subject", subject)
            findings.reportSubstitute(for: CarePatient.self, subject)
        case .takeover: findings.require("subject", CareUser.self, subject, acceptsSubstitute: true)
        case .opening: findings.require("subject", CareUser.self, subject)
        case nil: findings.check("subject", subject)
        }
        findings.check("mark", mark, in: 0...Key.numbers.upperBound)
        findings.check("next", next, in: 0...Key.numbers.upperBound)
        findings.check("share", share, in: 0...Key.numbers.upperBound)
        if let address { findings.check("address", email: address) }
    }
}
