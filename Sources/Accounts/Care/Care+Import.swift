package import Store

/// Importing accounts of other programs.
extension Care {
    package static var importedProperties: [ImportedAccount.Property] {
        [.email, .passwordHash, .firstName, .lastName, .phone, .role]
    }

    package func record(of given: ImportedAccount, at now: Timestamp) -> CareUser {
        CareUser(
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
    }

    package func insertImported(_ account: CareUser, at now: Timestamp, in tx: Transaction) throws -> CareUser {
        var account = account
        account.id = try tx.nextNumber(of: CareUser.self)
        try insert(account, at: now, in: tx)
        return account
    }
}
