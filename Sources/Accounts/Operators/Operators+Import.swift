package import Store

/// Importing accounts of other programs.
extension Operators {
    package static var importedProperties: [ImportedAccount.Property] {
        [.email, .passwordHash, .firstName, .lastName]
    }

    package func importAccount(_ given: ImportedAccount, adds: Bool) throws -> [RecordFindings.Fault] {
        let now = environment.time.now
        // The number of the transaction replaces these.
        let person = Person(
            id: 1,
            created: given.created ?? now,
            firstName: given[.firstName],
            lastName: given[.lastName],
            email: given.storedEmail
        )
        let new = Operator(
            id: 1,
            created: given.created ?? now,
            person: person,
            passwordHash: given.storedHash(environment.random),
            isConfirmed: given.isConfirmed,
            isProven: given.isConfirmed,
            lastChange: 0,
            locale: nil,
            disabled: nil
        )
        let faults = given.faults(known: Self.importedProperties) { new.validate(into: &$0) }
        // An export has no object `person`.
        guard faults.isEmpty, let email = EmailAddress(person.email) else {
            return faults.map { .init($0.property.droppingPrefix("person."), $0.rule) }
        }
        return try environment.store.run(writes: adds) { tx in
            guard try !isTaken(email, at: now, in: tx) else {
                return [.init("email", ErrorCode.Operators.operatorExists.slug)]
            }
            guard adds else { return [] }
            var account = new
            account.id = try tx.nextNumber(of: Operator.self)
            account.person.id = try tx.next(Person.counter)
            try tx.insert(account)
            try given.record(account.id, in: audit, at: now, in: tx)
            return []
        }
    }
}

extension String {
    fileprivate func droppingPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
