package import Store

/// What an earlier version stored in another form.
package enum EarlierForms {
    /// Brings a store to the present forms, before it is used.
    ///
    /// Records of a short life whose form has changed are deleted: quotas with a plain address, counts of failures, mailed
    /// codes with a count of tries, invitations with a plain code. Who waits for a code asks for another. Mails and
    /// shares are added to indexes that are new.
    ///
    /// A store that has its key for hashes of addresses was used by a version that writes the present forms.
    ///
    /// - Throws: `StoreError` where the store cannot be written to; nothing is changed then.
    package static func update(_ store: Store) throws {
        try store.transact { tx in
            guard try !HashKey.isThere(in: tx) else { return }
            try tx.deleteUnreadable(MailQuota.self)
            try tx.deleteUnreadable(PasswordFailures.self)
            try tx.deleteUnreadable(MailedCode.self)
            try tx.deleteUnreadable(Invitation.self)
            try tx.addMissingEntries(OutboxMail.self)
            try tx.addMissingEntries(CareShare.self)
        }
        try store.makeDurable()
    }
}
