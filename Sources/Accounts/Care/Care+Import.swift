package import Store

/// Importing accounts of other programs.
extension Care {
    package static var importedProperties: [ImportedAccount.Property] {
        [.email, .passwordHash, .firstName, .lastName, .phone, .role]
    }

    package func importAccount(_ given: ImportedAccount, adds: Bool) throws -> [RecordFindings.Fault] {
        let now = environment.time.now
        let new = CareUser(
            // The number of the transaction replaces this one.
            id: 1,
            created: given.created ?? now,
            email: given.storedEmail,
            passwordHash: given.storedHash(environment.random),
            role: given.optional(.role) ?? CareRole.user.rawValue,
            firstName: given[.firstName],
            lastName: given[.lastName],
            phone: given[.phone],
            npi: "",
            isProven: false,
            hasTemporaryPassword: false,
            temporaryUntil: nil,
            locale: nil,
            disabled: nil
        )
        let faults = given.faults(known: Self.importedProperties) { new.validate(into: &$0) }
        guard faults.isEmpty, let email = EmailAddress(new.email) else { return faults }
        return try environment.store.run(writes: adds) { tx in
            guard try !isTaken(email, at: now, in: tx) else {
                return [.init("email", ErrorCode.Care.userAlreadyExists.slug)]
            }
            guard adds else { return [] }
            var user = new
            user.id = try tx.nextNumber(of: CareUser.self)
            try insert(user, at: now, in: tx)
            try given.record(user.id, in: audit, at: now, in: tx)
            // Opens the shares that wait for the address.
            if given.isConfirmed { try prove(user, by: .admin, in: tx) }
            return []
        }
    }
}
