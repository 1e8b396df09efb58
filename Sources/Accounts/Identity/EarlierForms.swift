package import Store

/// What an earlier version stored in another form.
package enum EarlierForms {
    /// Brings a store to the present forms, before it is used.
    ///
    /// Records of a short life whose form has changed are deleted: quotas with a plain address, counts of failures, mailed
    /// codes with a count of tries, invitations with a plain code. Who waits for a code asks for another. Mails,
    /// shares and clients are added to indexes that are new, and deleted clients are taken out of the index by email.
    ///
    /// A store that has its key for hashes of addresses was used by a version that writes the present forms.
    ///
    /// - Throws: `StoreError` where the store cannot be written to; what is left is done at the next start.
    package static func update(_ store: Store) throws {
        guard try !store.read(HashKey.isThere) else { return }
        try store.deleteUnreadable(MailQuota.self)
        try store.deleteUnreadable(PasswordFailures.self)
        try store.deleteUnreadable(MailedCode.self)
        try store.deleteUnreadable(Invitation.self)
        try store.correctEntries(of: OutboxMail.self)
        try store.correctEntries(of: CareShare.self)
        try store.correctEntries(of: Client.self)
    }
}
