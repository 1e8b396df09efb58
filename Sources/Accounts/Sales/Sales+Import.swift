package import Store

/// Importing accounts of other programs.
extension Sales {
    package static var importedProperties: [ImportedAccount.Property] { ImportedAccount.Property.allCases }

    package func record(of given: ImportedAccount, at now: Timestamp) -> SalesUser {
        let role = given.optional(.role) ?? SalesRole.customer.rawValue
        let isCustomer = role == SalesRole.customer.rawValue
        return SalesUser(
            // The number of the transaction replaces this one.
            id: 1,
            externalID: environment.random.uuid(),
            created: given.created ?? now,
            role: role,
            email: given.storedEmail,
            passwordHash: given.storedHash(environment.random),
            // Only a customer must verify the email before signing in.
            isVerified: given.isConfirmed || !isCustomer,
            isProven: given.isConfirmed,
            firstName: given[.firstName],
            lastName: given[.lastName],
            referralCode: environment.random.hex(bytes: Limits.codeDigits / 2),
            source: given.optional(.source) ?? (isCustomer ? given.standardSource : nil),
            phone: given.optional(.phone),
            brandID: given.optional(.brandID),
            locale: nil,
            disabled: nil
        )
    }

    package func insertImported(_ account: SalesUser, at now: Timestamp, in tx: Transaction) throws -> SalesUser {
        var account = account
        account.id = try tx.nextNumber(of: SalesUser.self)
        try tx.insert(account)
        return account
    }
}
