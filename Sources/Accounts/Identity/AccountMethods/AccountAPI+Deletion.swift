package import Store

/// Deleting accounts.
///
/// The first transaction deletes the account itself, so that no request finds it, and as many of its other records as
/// `Limits.jobRecordsMax` allows. If some remain, an `AccountDeletion` is stored, and a job continues with it.
extension AccountAPI {
    /// Deletes the account.
    package func delete(_ credential: Credential, currentPassword: Given<Password>) throws -> Progress<Void> {
        try authenticate(credential)
        let current = try Rules.password(currentPassword, "current_password")
        let action = PasswordedRequest<Self, Void>.Action.change {
            [notice = MailSecrets(environment.random)] api, account, tx in
            try api.delete(account, in: tx)
            try api.notifyOfDeletion(account, notice, at: api.environment.time.now, in: tx)
        }
        return try verify(PasswordedRequest(credential: credential, current: current, action: action))
    }

    private func delete(_ account: Account, in tx: Transaction) throws {
        try deleteSharedRecords(of: account, in: tx)
        let deletion = AccountDeletion(
            realm: Self.realm.rawValue,
            account: account.id,
            address: account.email.lowercased(),
            mark: .max
        )
        if try advance(deletion, in: tx) { return }
        var rest = deletion
        rest.mark = try tx.nextNumber(of: OutboxMail.self)
        try tx.insert(rest)
        tx.afterwards(.jobs)
    }

    /// Posts the notice of a deletion, after the account's other mails were deleted. It is deleted as soon as it is
    /// delivered or given up, and leaves no address.
    func notifyOfDeletion(_ account: Account, _ notice: MailSecrets, at now: Timestamp, in tx: Transaction) throws {
        let mail = try notify(account, of: Self.realm.mails.accountDeleted, notice, at: now, in: tx)
        if let mail { try tx.insert(DeletionNotice(mail: mail)) }
    }

    /// Deletes an account's record, and the few records that each account has in every API.
    func deleteSharedRecords(of account: Account, in tx: Transaction) throws {
        try sessions.endAll(of: account.id, in: tx)
        try forgetCodes(of: account.id, in: tx)
        // Mails to earlier addresses are few: at most the notices of some days.
        for address in try reversals.forget(account.id, in: tx) {
            _ = try environment.outbox.forgetMails(
                of: Self.realm,
                to: address,
                below: .max,
                limit: Limits.jobRecordsMax,
                in: tx
            )
        }
        try environment.outbox.forget(MailCause(Self.realm, account: account.id), in: tx)
        try Lockout.clearAll(of: Self.realm, account.id, in: tx)
        try tx.delete(Account.self, account.key)
    }

    package func runJob() throws -> Bool {
        try environment.store.write { tx in
            let deletions = try tx.all(AccountDeletion.self, prefix: Key(Self.realm.rawValue), limit: 2)
            guard let deletion = deletions.first else { return false }
            guard try advance(deletion, in: tx) else { return true }
            try tx.delete(AccountDeletion.self, deletion.key)
            return deletions.count > 1
        }
    }

    /// Does one transaction's part of a deletion.
    ///
    /// - Returns: whether the deletion is finished.
    private func advance(_ deletion: AccountDeletion, in tx: Transaction) throws -> Bool {
        let mails = try environment.outbox.forgetMails(
            of: Self.realm,
            to: deletion.address,
            below: deletion.mark,
            limit: Limits.jobRecordsMax,
            in: tx
        )
        let left = Limits.jobRecordsMax - mails
        return try left > 0 && deleteRecords(ofDeleted: deletion.account, limit: left, in: tx) < left
    }
}

extension AccountDeletion: Record {
    package static let collection = Collection<AccountDeletion>("account deletions")

    package var key: Key { Key(realm, account) }
}
