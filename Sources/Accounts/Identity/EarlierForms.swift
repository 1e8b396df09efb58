package import Store

/// Migrates records that an earlier version stored in another format.
package enum EarlierForms {
    /// Migrates a store to the present format, before it is used.
    ///
    /// Short-lived records whose format has changed are deleted: quotas with a plain address, failure counts, mailed
    /// codes with a count of attempts, and invitations with a plain code. A user who waits for a code must request a
    /// new one. Mails, invitations, shares and clients are added to new indexes, and deleted clients are removed from
    /// the index by email.
    ///
    /// A store that has a key of keyed hashes is in the present format and is not changed. A large one gets a key, so
    /// that the next start does not read it all again.
    ///
    /// - Parameter newKey: makes 16 random bytes in hexadecimal.
    /// - Throws: `StoreError` if the store cannot be written. The next start continues the migration.
    package static func update(_ store: Store, newKey: () -> String) throws {
        guard try store.read(HashKey.stored) == nil else { return }
        try store.deleteUnreadable(MailQuota.self)
        try store.deleteUnreadable(PasswordFailures.self)
        try store.deleteUnreadable(MailedCode.self)
        try store.deleteUnreadable(Invitation.self)
        let records =
            try store.correctEntries(of: Invitation.self)
            + store.correctEntries(of: OutboxMail.self)
            + store.correctEntries(of: CareShare.self)
            + store.correctEntries(of: Client.self)
        guard records > Store.updatedRecordsMax else { return }
        let key = newKey()
        try store.write { tx in _ = try HashKey.make(newKey: key, in: tx) }
        try store.makeDurable()
    }

    /// Adds what shows that an import has no data of an earlier version, if looking for them would take long.
    ///
    /// - Parameters:
    ///   - records: the number of imported records.
    ///   - newKey: makes 16 random bytes in hexadecimal.
    ///   - add: adds a record unless the import has one of its type.
    package static func markUpdated<Failure: Error>(
        _ records: Int,
        newKey: () -> String,
        _ add: (HashKey) throws(Failure) -> Void
    ) throws(Failure) {
        guard records > Store.updatedRecordsMax else { return }
        try add(HashKey(number: 1, secret: newKey()))
    }

    /// Deletes mails to a deleted user whose deletion an earlier version began: only its jobs have an address. Now an
    /// `AccountDeletion` deletes the mails.
    ///
    /// - Returns: the number of deleted mails.
    static func deleteMails(of job: CareJob, _ outbox: Outbox, limit: Int, in tx: Transaction) throws -> Int {
        guard let address = job.address else { return 0 }
        return try outbox.deleteMails(of: .care, to: address, below: job.mark, limit: limit, in: tx)
    }
}
