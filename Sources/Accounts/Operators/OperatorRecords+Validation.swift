package import Store

extension Operator {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.check("created", created)
        person.validate(into: &findings)
        findings.check("password_hash", hash: passwordHash)
        if isProven == true, !isConfirmed { findings.refuse("is_proven", "the email is not confirmed") }
        findings.check("last_change", lastChange, in: Key.numbers)
        findings.check("locale", locale) { try OperatorRules.locale($0, "locale") }
        findings.check("disabled", disabled)
    }
}

extension Client {
    package func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        // The operator's next change must get a higher number than any change of its clients.
        findings.require(
            "operator_id",
            Operator.self,
            operatorID,
            least: ("last_change", change),
            acceptsSubstitute: true
        )
        findings.check("created", created)
        person.validate(into: &findings)
        findings.check("address", address) {
            try OperatorRules.text($0, "address", charactersMax: Limits.addressCharactersMax)
        }
        findings.check("change", change)
        findings.check("deleted", deleted)
    }
}

extension Person {
    fileprivate func validate(into findings: inout RecordFindings) {
        findings.check("person.id", id)
        findings.check("person.created", created)
        findings.check("person.first_name", firstName) {
            try OperatorRules.text($0, "first_name", charactersMax: Limits.nameCharactersMax)
        }
        findings.check("person.last_name", lastName) {
            try OperatorRules.text($0, "last_name", charactersMax: Limits.nameCharactersMax)
        }
        findings.check("person.email", email) { try OperatorRules.email($0, "email").text }
    }
}
