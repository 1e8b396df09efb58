package import Store

/// Locks password checks of an account for a while after too many failures in a row (OWASP ASVS 2.2.1).
///
/// The failure that reaches the limit is still answered as a failure. Later attempts are refused because of the lock,
/// and do not extend it. After the lock the count starts at 0. A count lapses a day after its last failure. Open
/// sessions are not affected.
///
/// A method that checks a password calls `secondsLeft` and `fail` in the same transaction as the check, so no process
/// counts an attempt that comes after a lock set by another process.
package struct Lockout: Sendable {
    /// The kind of password check that is locked. Each has its own count: a stranger who locks the sign-in must not
    /// prevent the owner from changing the password, or deleting the account, in an open session.
    package enum Scope: String, CaseIterable, Sendable {
        case signIn = "sign-in"
        /// Sign-ins from all network addresses together, of requests whose host states the address.
        case signInFromAnywhere = "sign-in from anywhere"
        case passwordChange = "password change"

        /// The number of failures that lead to a lock.
        var failuresMax: Int {
            switch self {
            case .signIn, .passwordChange: Limits.failedSignInsMax
            case .signInFromAnywhere: Limits.failedSignInsFromAnywhereMax
            }
        }
    }

    private let realm: Realm
    private let scope: Scope

    package init(_ realm: Realm, _ scope: Scope = .signIn) {
        self.realm = realm
        self.scope = scope
    }

    /// The count of an account, announced with the account.
    var companion: Prefetch.Companion {
        Prefetch.Companion(PasswordFailures.self, before: Key(realm.rawValue, scope.rawValue))
    }

    /// The seconds until an account is unlocked; nil if it is not locked.
    package func secondsLeft(for account: Int, at now: Timestamp, in tx: Transaction) throws -> Int? {
        try tx.get(PasswordFailures.self, key(account))?.failures.secondsLeft(at: now)
    }

    /// Counts a failure. Does nothing if the account is locked.
    ///
    /// - Returns: whether the failure has locked the account.
    @discardableResult
    package func fail(_ account: Int, at now: Timestamp, in tx: Transaction) throws -> Bool {
        var record =
            try tx.get(PasswordFailures.self, key(account))
            ?? PasswordFailures(
                realm: realm.rawValue,
                scope: scope.rawValue,
                account: account,
                count: 0,
                last: now,
                lockedUntil: nil
            )
        guard record.failures.secondsLeft(at: now) == nil else { return false }
        record.failures.fail(at: now, max: scope.failuresMax)
        try tx.save(record)
        return record.lockedUntil != nil
    }

    /// The failure counts of an account.
    static func failures(of realm: Realm, _ account: Int, in tx: Transaction) throws -> [PasswordFailures] {
        try Scope.allCases.compactMap { scope in try tx.get(PasswordFailures.self, Lockout(realm, scope).key(account)) }
    }

    /// Deletes an account's failure count, after a correct password or when the account is deleted.
    package func deleteCount(of account: Int, in tx: Transaction) throws {
        try tx.delete(PasswordFailures.self, key(account))
    }

    /// Deletes all failure counts of an account, after its password was replaced. The addresses that the account has
    /// signed in from stay known.
    package static func deleteCounts(of realm: Realm, _ account: Int, in tx: Transaction) throws {
        for scope in Scope.allCases { try Lockout(realm, scope).deleteCount(of: account, in: tx) }
        for var signIns in try SignInLockout(realm).signIns(of: account, in: tx) {
            if signIns.signedIn == nil {
                try tx.delete(NetworkSignIns.self, signIns.key)
            } else if signIns.count > 0 || signIns.lockedUntil != nil {
                (signIns.count, signIns.lockedUntil) = (0, nil)
                try tx.update(signIns)
            }
        }
    }

    /// Deletes all failure counts and known addresses of an account, when the account is deleted.
    package static func deleteAll(of realm: Realm, _ account: Int, in tx: Transaction) throws {
        for scope in Scope.allCases { try Lockout(realm, scope).deleteCount(of: account, in: tx) }
        for signIns in try SignInLockout(realm).signIns(of: account, in: tx) {
            try tx.delete(NetworkSignIns.self, signIns.key)
        }
    }

    private func key(_ account: Int) -> Key {
        Key(realm.rawValue, scope.rawValue, account)
    }
}

/// The failures in a row of an account, or of an email without one.
struct FailureCount {
    var count: Int
    var last: Timestamp
    var lockedUntil: Timestamp?

    /// The seconds until the lock ends; nil if there is no lock. At most `Limits.lockoutSeconds`, even if the lock was
    /// set while the clock was ahead.
    func secondsLeft(at now: Timestamp) -> Int? {
        guard let lockedUntil, lockedUntil > now else { return nil }
        return min(now.seconds(until: lockedUntil), Limits.lockoutSeconds)
    }

    /// Whether the count has lapsed.
    func isLapsed(at now: Timestamp) -> Bool {
        last.adding(seconds: Limits.failureCountSeconds) <= now
    }

    /// Counts a failure, and locks if it is number `max` in a row.
    mutating func fail(at now: Timestamp, max: Int) {
        if isLapsed(at: now) { count = 0 }
        count += 1
        last = now
        lockedUntil = nil
        if count >= max {
            count = 0
            lockedUntil = now.adding(seconds: Limits.lockoutSeconds)
        }
    }

    /// Corrects times that were set while the clock was ahead.
    mutating func clamp(to now: Timestamp) {
        last = min(last, now)
        lockedUntil = lockedUntil.map { min($0, now.adding(seconds: Limits.lockoutSeconds)) }
    }
}

extension PasswordFailures: Record {
    package static let collection = Collection<PasswordFailures>("password failures", ordered: [byLast])
    static let byLast = OrderedIndex<PasswordFailures>("last") {
        Key($0.last.seconds, "\($0.realm) \($0.scope)", $0.account)
    }

    package var key: Key { Key(realm, scope, account) }

    var failures: FailureCount {
        get { FailureCount(count: count, last: last, lockedUntil: lockedUntil) }
        set { (count, last, lockedUntil) = (newValue.count, newValue.last, newValue.lockedUntil) }
    }
}
