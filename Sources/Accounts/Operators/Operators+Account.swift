import Store

/// Changing the names.
extension Operators {
    /// Changes the given names of the operator. Absent properties stay unchanged.
    package func update(session: SessionFields, _ given: Given<PersonFields>) throws -> Operator {
        let now = environment.time.now
        return try environment.store.write { tx in
            var account = try authenticated(session, at: now, in: tx)
            let given = try OperatorRules.present(given, "user")
            let before = account
            try account.person.rename(given, at: "user")
            guard account != before else { return account }
            try tx.update(account)
            try audit.record(.profileChanged, of: account.id, by: .account, at: now, in: tx)
            return account
        }
    }
}

extension Person {
    /// A new person.
    init(_ given: ValidPerson, at now: Timestamp, in tx: Transaction) throws {
        self.init(
            id: try tx.next(Self.counter),
            created: now,
            firstName: given.first,
            lastName: given.last,
            email: given.email.text
        )
    }

    /// Changes the given names. Absent properties stay unchanged.
    ///
    /// - Parameter path: the path of the names in the request.
    mutating func rename(_ given: PersonFields, at path: String) throws {
        if !given.firstName.isAbsent {
            let field = "\(path).first_name"
            firstName = try OperatorRules.text(given.firstName, field, charactersMax: Limits.nameCharactersMax)
        }
        if !given.lastName.isAbsent {
            let field = "\(path).last_name"
            lastName = try OperatorRules.text(given.lastName, field, charactersMax: Limits.nameCharactersMax)
        }
    }
}
