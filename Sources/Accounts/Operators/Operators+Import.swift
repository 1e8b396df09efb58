package import Store

/// Importing accounts of other programs.
extension Operators {
    package static var importedProperties: [ImportedAccount.Property] {
        [.email, .passwordHash, .firstName, .lastName]
    }

    package func record(of given: ImportedAccount, at now: Timestamp) -> Operator {
        // The number of the transaction replaces these.
        let person = Person(
            id: 1,
            created: given.created ?? now,
            firstName: given[.firstName],
            lastName: given[.lastName],
            email: given.storedEmail
        )
        return Operator(
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
    }

    package func insertImported(_ account: Operator, at now: Timestamp, in tx: Transaction) throws -> Operator {
        var account = account
        account.id = try tx.nextNumber(of: Operator.self)
        account.person.id = try tx.next(Person.counter)
        try tx.insert(account)
        return account
    }
}
