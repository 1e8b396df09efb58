package import Store

/// Importing accounts of other programs.
extension Sales {
    package static var importedProperties: [ImportedAccount.Property] { ImportedAccount.Property.allCases }

    package func importAccount(_ given: ImportedAccount, adds: Bool) throws -> [RecordFindings.Fault] {
        let now = environment.time.now
        let role = given.optional(.role) ?? SalesRole.customer.rawValue
        let isCustomer = role == SalesRole.customer.rawValue
        let new = SalesUser(
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
        let faults = given.faults(known: Self.importedProperties) { new.validate(into: &$0) }
        guard faults.isEmpty, let email = EmailAddress(new.email) else { return faults }
        return try environment.store.run(writes: adds) { tx in
            guard try !isTaken(email, at: now, in: tx) else {
                return [.init("email", ErrorCode.Sales.userAlreadyExists.slug)]
            }
            guard adds else { return [] }
            var user = new
            user.id = try tx.nextNumber(of: SalesUser.self)
            try tx.insert(user)
            try given.record(user.id, in: audit, at: now, in: tx)
            return []
        }
    }
}
