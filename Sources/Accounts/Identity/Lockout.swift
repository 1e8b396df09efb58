package import Store

/// Locks what takes an account's password for a while after too many failures in a row (OWASP ASVS 2.2.1).
///
/// The failure that reaches the bound is still answered as a failure; the ones behind it find the lock, which they do
/// not prolong. After it the count begins anew. Sessions that are open are no concern of it.
package struct Lockout {
    /// What is locked. Each is counted by itself: who locks a stranger's sign-in must not lock the owner's open session
    /// out of changing the password.
    package enum Scope: String, Sendable {
        case signIn = "sign-in"
        case passwordChange = "password change"
    }

    private let realm: Realm
    private let scope: Scope

    package init(_ realm: Realm, _ scope: Scope = .signIn) {
        self.realm = realm
        self.scope = scope
    }

    /// How many seconds an account stays locked, or nil where it is not.
    package func secondsLeft(for account: Int, at now: Timestamp, in tx: Transaction) throws -> Int? {
        guard let until = try tx.get(PasswordFailures.self, key(account))?.lockedUntil, until > now else { return nil }
        return now.seconds(until: until)
    }

    /// Counts a failure.
    package func fail(_ account: Int, at now: Timestamp, in tx: Transaction) throws {
        var record =
            try tx.get(PasswordFailures.self, key(account))
            ?? PasswordFailures(
                realm: realm.rawValue,
                scope: scope.rawValue,
                account: account,
                count: 0,
                lockedUntil: nil
            )
        record.count += 1
        record.lockedUntil = nil
        if record.count >= Limits.failedSignInsMax {
            record.count = 0
            record.lockedUntil = now.adding(seconds: Limits.lockoutSeconds)
        }
        try tx.save(record)
    }

    /// Counts a failed sign-in to an email that no account has, so that it costs what a wrong password costs.
    package func failUnknown(in tx: Transaction) throws {
        _ = try tx.next(Counter("\(realm.rawValue).sign-ins of nobody"))
    }

    /// Forgets an account's failures: the right password came, or the account is gone.
    package func clear(_ account: Int, in tx: Transaction) throws {
        try tx.delete(PasswordFailures.self, key(account))
    }

    private func key(_ account: Int) -> Key {
        Key(realm.rawValue, scope.rawValue, account)
    }
}

extension PasswordFailures: Record {
    package static let collection = Collection<PasswordFailures>("password failures")

    package var key: Key { Key(realm, scope, account) }
}
