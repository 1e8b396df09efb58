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
    }
}

extension CarePatient {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("created", created)
        findings.require("owner", CareUser.self, owner)
        if let me {
            findings.check("me", me)
            if me != owner { findings.refuse("me", "not the owner") }
        }
        findings.check("first_name", firstName, CareRules.requiredFirstName)
        findings.check("last_name", lastName, CareRules.lastName)
        findings.check("birthdate", birthdate, CareRules.birthdate)
        findings.check("sex", sex, CareRules.sex)
        findings.check("phone", phone, CareRules.phone)
    }
}

extension CareShare {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.require("patient", CarePatient.self, patient)
        findings.check("email", email) { try CareRules.single(CareRules.email($0)).text }
        if let user { findings.require("user", CareUser.self, user) }
        findings.check("access", access) { try CareRules.single(CareRules.access($0)) }
        if isOwners {
            if user == nil { findings.refuse("user", "an owner is a user") }
            if access != "write" { findings.refuse("access", "an owner can write") }
        } else {
            findings.check("group", group) { try CareRules.single(CareRules.group($0)) }
        }
    }
}
