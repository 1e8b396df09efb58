package import Store

/// Proving that an address belongs to the user. Only shares with the address depend on it.
extension Care {
    /// Proves the address that a code was mailed to, and returns the address. A used code returns the same result for a
    /// day.
    ///
    /// The access token is required so that a stranger who registered with the address gains nothing if the true owner,
    /// or a mail scanner, opens the link in the mail.
    package func confirmEmail(_ token: Given<BearerToken>, code: Given<String>) throws -> String {
        let now = environment.time.now
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            let invalid = code.error(ErrorCode.Care.invalidCode)
            guard let code = code.code(),
                try codes.find(.confirm, code, at: now, in: tx, orThrow: invalid) == user.id
            else { throw invalid }
            _ = try codes.redeem(.confirm, code, at: now, in: tx, orThrow: invalid)
            if !user.isProven { try prove(user, at: now, in: tx) }
            return user.email
        }
    }

    package func confirmed(
        _ account: CareUser,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> CareUser {
        try prove(account, by: source, at: now, in: tx)
        return try tx.get(CareUser.self, account.key) ?? account
    }

    /// Marks the address as proven, and opens the shares that wait for it.
    ///
    /// - Parameter source: who has proven it.
    func prove(
        _ user: CareUser,
        by source: AuditTrail.Source = .account,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        guard var user = try tx.get(CareUser.self, user.key), !user.isProven else { return }
        user.isProven = true
        try tx.update(user)
        try audit.record(.confirmed, of: user.id, by: source, at: now, in: tx)
        try begin(CareJob(.opening, user.id, address: user.email.lowercased()), in: tx)
    }
}
