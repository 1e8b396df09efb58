package import JSON
import Store

/// The operations of an administrator on one account. They need no credential of the account.
///
/// Each that changes something leaves an event whose kind begins with `admin`, with the name of who asked for it. An
/// event that the change itself leaves, such as `confirmed`, comes in addition.
extension AccountAPI {
    /// Everything that the service keeps of an account, except secrets.
    package func details(_ operation: AccountOperation) throws -> AccountDetails {
        let now = environment.time.now
        return try environment.store.read { tx in
            try details(of: try account(named: operation.account, in: tx), at: now, in: tx)
        }
    }

    /// Disables an account, until it is enabled.
    ///
    /// It ends the sessions and deletes the codes, which would let a request act as the account. The codes that restore
    /// earlier addresses stay, because a thief may have changed the address: they leave the account disabled.
    package func disable(_ operation: AccountOperation) throws -> AccountSummary {
        try administer(operation, as: .adminAccountDisabled) { account, now, tx in
            account.disabled = account.disabled ?? now
            try tx.update(account)
            try sessions.endAll(of: account.id, in: tx)
            try deleteCodes(of: account.id, in: tx)
            return Self.summary(of: account)
        }
    }

    /// Enables a disabled account.
    package func enable(_ operation: AccountOperation) throws -> AccountSummary {
        try administer(operation, as: .adminAccountEnabled) { account, _, tx in
            account.disabled = nil
            try tx.update(account)
            return Self.summary(of: account)
        }
    }

    /// Deletes the locks of an account, and its counts of wrong passwords.
    package func unlock(_ operation: AccountOperation) throws -> AccountSummary {
        try administer(operation, as: .adminAccountUnlocked) { account, _, tx in
            try Lockout.deleteCounts(of: Self.realm, account.id, in: tx)
            return Self.summary(of: account)
        }
    }

    /// Confirms the email of an account.
    package func confirmEmail(_ operation: AccountOperation) throws -> AccountSummary {
        try administer(operation, as: .adminAccountConfirmed) { account, now, tx in
            if !account.isEmailProven { account = try confirmed(account, by: .admin, at: now, in: tx) }
            try codes.delete([Self.confirmation.purpose], of: account.id, in: tx)
            return Self.summary(of: account)
        }
    }

    /// Ends all sessions of an account, and deletes a pending change of its email, which a session may have begun.
    package func endSessions(_ operation: AccountOperation) throws -> EndedSessions {
        try administer(operation, as: .adminSessionsEnded) { account, now, tx in
            let open = try sessions.open(of: account.id, at: now, in: tx)
            try sessions.endAll(of: account.id, in: tx)
            try codes.delete([.changeEmail], of: account.id, in: tx)
            try tx.delete(EmailChange.self, Key(Self.realm.rawValue, account.id))
            return EndedSessions(ended: open.count)
        }
    }

    /// Sets the password of an account, ends its sessions, and deletes its unused codes and locks.
    package func setPassword(
        _ operation: AccountOperation,
        password: Given<Password>
    ) throws -> Progress<AccountSummary> {
        let password = try AdminRules.password(password)
        let account = try environment.store.read { try self.account(named: operation.account, in: $0) }
        try passwordPolicy.check(password, email: account.email, names: account.names) { fault in
            AccountError(AdminRules.code(of: fault), field: "password")
        }
        // Meanwhile, another account may get the email.
        var named = operation
        named.account = AccountReference(Self.realm, account.id)
        return .hash(password) { [named] hash, apis in .done(try Self(from: apis).setPassword(named, hash)) }
    }

    private func setPassword(_ operation: AccountOperation, _ hash: PasswordHash) throws -> AccountSummary {
        let notice = MailSecrets(environment.random)
        return try administer(operation, as: .adminPasswordSet) { account, now, tx in
            try replacePassword(of: &account, by: hash, notice: notice, at: now, in: tx)
            return Self.summary(of: account)
        }
    }

    /// Replaces all of the metadata that administration has set for an account.
    package func setAppMetadata(
        _ operation: AccountOperation,
        to given: Given<CompactObject>
    ) throws -> Metadata {
        guard let appMetadata = given.value, appMetadata.isMetadata else {
            throw AdminRules.invalid(given, "app_metadata")
        }
        return try administer(operation, as: .adminAppMetadataSet) { account, now, tx in
            try changeMetadata(of: account.id, by: .admin, at: now, in: tx) { $0.appMetadata = appMetadata }
        }
    }

    /// Deletes an account.
    package func delete(_ operation: AccountOperation) throws {
        let notice = MailSecrets(environment.random)
        try administer(operation, as: .adminAccountDeleted) { account, now, tx in
            try deleteAll(of: account, by: .admin, at: now, in: tx)
            try notifyOfDeletion(account, notice, at: now, in: tx)
        }
    }

    /// Does an operation on an account in one transaction, and records it.
    ///
    /// - Throws: `account_not_found`.
    private func administer<Value>(
        _ operation: AccountOperation,
        as kind: EventKind,
        _ change: (inout Account, Timestamp, Transaction) throws -> Value
    ) throws -> Value {
        let now = environment.time.now
        return try environment.store.write { tx in
            var account = try account(named: operation.account, in: tx)
            let value = try change(&account, now, tx)
            try record(kind, of: account.id, operation, at: now, in: tx)
            return value
        }
    }

    /// Records an operation of administration.
    func record(
        _ kind: EventKind,
        of account: Int,
        _ operation: AccountOperation,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let detail = operation.actor.map { EventDetail(actor: $0) }
        try audit.record(kind, of: account, by: .admin, detail: detail, at: now, in: tx)
    }

    /// The account that a reference names.
    ///
    /// - Throws: `account_not_found`.
    func account(named reference: AccountReference, in tx: Transaction) throws -> Account {
        guard let number = try reference.number(in: tx), let account = try tx.get(Account.self, Key(number)) else {
            throw AccountError(ErrorCode.Admin.accountNotFound)
        }
        return account
    }
}
