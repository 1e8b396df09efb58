package import Store

/// Deleting accounts.
///
/// The first transaction deletes the account itself, so that no request finds it, and as many of its other records as
/// `Limits.jobRecordsMax` allows. If some remain, an `AccountDeletion` is stored, and a job continues with it.
extension AccountAPI {
    /// Deletes the account.
    package func delete(
        _ credential: Credential,
        currentPassword: Given<Password>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<Void> {
        try authenticate(credential)
        let origin = try Rules.origin(client)
        let current = try Rules.password(currentPassword, "current_password")
        let action = PasswordedRequest<Self, Void>.Action.change {
            [notice = MailSecrets(environment.random)] api, account, now, tx in
            try api.delete(account, by: .account, at: now, in: tx)
            try api.notifyOfDeletion(account, notice, at: now, in: tx)
        }
        return try verify(PasswordedRequest(credential: credential, current: current, origin: origin, action: action))
    }

    /// Posts the notice of a deletion, after the account's other mails were deleted. It is deleted as soon as it is
    /// delivered or given up, and leaves no address.
    func notifyOfDeletion(_ account: Account, _ notice: MailSecrets, at now: Timestamp, in tx: Transaction) throws {
        let mail = try notify(account, of: Self.realm.mails.accountDeleted, notice, at: now, in: tx)
        if let mail { try tx.insert(DeletionNotice(mail: mail)) }
    }

    /// Deletes an account: at once what makes it an account, and the rest in as many transactions as it takes.
    ///
    /// - Parameter source: who deletes it.
    func delete(_ account: Account, by source: AuditTrail.Source, at now: Timestamp, in tx: Transaction) throws {
        try sessions.endAll(of: account.id, in: tx)
        try deleteCodes(of: account.id, in: tx)
        // Mails to earlier addresses that do not name the account. They are few: invitations of some days.
        for address in try reversals.deleteAll(of: account.id, at: now, in: tx) {
            _ = try environment.outbox.deleteMails(
                of: Self.realm,
                to: address,
                below: .max,
                limit: Limits.jobRecordsMax,
                in: tx
            )
        }
        try environment.outbox.deleteQuota(of: MailCause(Self.realm, account: account.id), in: tx)
        try Lockout.deleteAll(of: Self.realm, account.id, in: tx)
        try tx.delete(AccountMetadata.self, Key(Self.realm.rawValue, account.id))
        try tx.delete(Account.self, account.key)
        var deletion = AccountDeletion(
            realm: Self.realm.rawValue,
            account: account.id,
            address: account.email.lowercased(),
            mark: .max,
            nextEvent: 0,
            lastEvent: try AuditTrail.last(in: tx) ?? 0
        )
        let isFinished = try advance(&deletion, in: tx)
        // Without an origin, which would be personal data of the deleted account.
        try audit.record(.accountDeleted, of: account.id, by: source, at: now, in: tx)
        if isFinished { return }
        deletion.mark = try tx.nextNumber(of: OutboxMail.self)
        try tx.insert(deletion)
        tx.afterwards(.jobs)
    }

    package func runJob() throws -> Bool { try continueDeletion() }

    /// Continues one deletion of an account for one transaction.
    ///
    /// - Returns: whether more work remains.
    func continueDeletion() throws -> Bool {
        try environment.store.write { tx in
            let deletions = try tx.all(AccountDeletion.self, prefix: Key(Self.realm.rawValue), limit: 2)
            guard var deletion = deletions.first else { return false }
            guard try advance(&deletion, in: tx) else {
                try tx.update(deletion)
                return true
            }
            try tx.delete(AccountDeletion.self, deletion.key)
            return deletions.count > 1
        }
    }

    /// Does one transaction's part of a deletion.
    ///
    /// - Returns: whether the deletion is finished.
    private func advance(_ deletion: inout AccountDeletion, in tx: Transaction) throws -> Bool {
        var left = Limits.jobRecordsMax
        left -= try environment.outbox.deleteMails(
            of: Self.realm,
            about: deletion.account,
            below: deletion.mark,
            limit: left,
            in: tx
        )
        guard left > 0 else { return false }
        left -= try environment.outbox.deleteMails(
            of: Self.realm,
            to: deletion.address,
            below: deletion.mark,
            limit: left,
            in: tx
        )
        guard left > 0 else { return false }
        let events = deletion.nextEvent...max(deletion.nextEvent, deletion.lastEvent ?? Key.numbers.upperBound - 1)
        let erased = try audit.erase(deletion.account, events, limit: left, in: tx)
        deletion.nextEvent = erased.next
        left -= erased.visited
        return try left > 0 && deleteRecords(ofDeleted: deletion.account, limit: left, in: tx) < left
    }
}

extension AccountDeletion: Record {
    package static let collection = Collection<AccountDeletion>("account deletions", canBeSubstitute: true)

    package var key: Key { Key(realm, account) }
}
