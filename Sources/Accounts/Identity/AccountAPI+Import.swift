package import Store

/// What became of an account that was to be imported.
package enum ImportOutcome {
    /// The account was added.
    case added(AccountSummary)
    /// The account breaks rules, and nothing was added.
    case refused([RecordFindings.Fault])
}

/// Importing accounts of other programs.
extension AccountAPI {
    /// Checks an account from the export of another program. Each property must follow the rules of requests.
    ///
    /// - Returns: what is wrong, by property; empty if nothing is.
    package func importFaults(of given: ImportedAccount) throws -> [RecordFindings.Fault] {
        let now = environment.time.now
        let account = record(of: given, at: now)
        let faults = faults(of: account, given)
        guard faults.isEmpty else { return faults }
        return try environment.store.read { try emailFaults(of: account, at: now, in: $0) }
    }

    /// Adds an account from the export of another program in one transaction, if nothing is wrong: the same records as
    /// for a new account, but no mail and no session.
    package func importAccount(_ given: ImportedAccount) throws -> ImportOutcome {
        let now = environment.time.now
        let new = record(of: given, at: now)
        let faults = faults(of: new, given)
        guard faults.isEmpty else { return .refused(faults) }
        return try environment.store.write { tx in
            let faults = try emailFaults(of: new, at: now, in: tx)
            guard faults.isEmpty else { return .refused(faults) }
            var account = try insertImported(new, at: now, in: tx)
            try given.record(account.id, in: audit, at: now, in: tx)
            if given.isConfirmed, !account.isEmailProven {
                account = try confirmed(account, by: .admin, at: now, in: tx)
            }
            return .added(Self.summary(of: account))
        }
    }

    /// The rules that the record breaks, and the texts that the API does not have.
    private func faults(of account: Account, _ given: ImportedAccount) -> [RecordFindings.Fault] {
        var findings = RecordFindings()
        account.validate(into: &findings)
        for property in given.properties where !Self.importedProperties.contains(property) {
            findings.refuse(property.rawValue, "the API has none")
        }
        // An export has no objects in an account: the store's `person.email` is its `email`.
        return findings.faults.map { .init($0.property.split(separator: ".").last.map { String($0) } ?? "", $0.rule) }
    }

    private func emailFaults(of account: Account, at now: Timestamp, in tx: Transaction) throws -> [RecordFindings
        .Fault]
    {
        guard let email = EmailAddress(account.email), try !isTaken(email, at: now, in: tx) else {
            return [.init("email", Self.errorCodes.emailTaken.slug)]
        }
        return []
    }
}
