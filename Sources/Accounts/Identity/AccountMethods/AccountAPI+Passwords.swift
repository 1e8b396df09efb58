import Store

/// The password of an account: the rules for a new one, and what it deletes.
extension AccountAPI {
    /// Throws the errors of a new password that the policy refuses.
    func checkPolicy(_ password: Password, email: String, names: [String]) throws {
        try passwordPolicy.check(password, email: email, names: names) { fault in
            AccountError(Rules.code(of: fault), field: "password")
        }
    }

    /// Throws the errors of an account's new password that the policy refuses.
    func checkPolicy(_ password: Password, for account: Account) throws {
        try checkPolicy(password, email: account.email, names: account.names)
    }

    /// Sets an account's password, ends all its sessions, and deletes its unused codes and its locks.
    ///
    /// This deletes a pending change of the email. The codes that restore earlier addresses stay: see `EmailReversals`.
    ///
    /// - Parameters:
    ///   - end: when a temporary password expires; nil for a password that the owner chose.
    ///   - notice: random values for the notice to the account's address; nil if another mail announces the change.
    func replacePassword(
        of account: inout Account,
        by hash: PasswordHash,
        temporaryUntil end: Timestamp? = nil,
        notice: MailSecrets? = nil,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        account.setPassword(hash, temporaryUntil: end)
        try tx.update(account)
        try sessions.endAll(of: account.id, in: tx)
        try codes.deleteUnused(of: account.id, in: tx)
        try tx.delete(EmailChange.self, Key(Self.realm.rawValue, account.id))
        try Lockout.deleteCounts(of: Self.realm, account.id, in: tx)
        if let notice { try notify(account, of: Self.realm.mails.passwordChanged, notice, at: now, in: tx) }
    }

    /// Deletes every mailed code of an account, used ones too, except those that restore earlier addresses.
    func deleteCodes(of account: Int, in tx: Transaction) throws {
        try codes.deleteAll(of: account, in: tx)
        try tx.delete(EmailChange.self, Key(Self.realm.rawValue, account))
    }
}
