package import Store

/// Locks what takes an account's password for a while after too many failures in a row (OWASP ASVS 2.2.1).
///
/// The failure that reaches the bound is still answered as a failure; the ones after it find the lock, which they do
/// not prolong. After it the count begins anew. A count lapses a day after its last failure. Open sessions are not
/// affected.
///
/// A method that judges a password asks `secondsLeft` and counts in the one transaction that judges, so that no process
/// counts a guess that came after another one's lock.
package struct Lockout: Sendable {
    /// What is locked. Each is counted apart: a stranger who locks the sign-in must not lock the owner's open session
    /// out of changing the password.
    package enum Scope: String, CaseIterable, Sendable {
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
        try tx.get(PasswordFailures.self, key(account))?.failures.secondsLeft(at: now)
    }

    /// Counts a failure. An account that is locked stays as it is.
    package func fail(_ account: Int, at now: Timestamp, in tx: Transaction) throws {
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
        guard record.failures.secondsLeft(at: now) == nil else { return }
        record.failures.fail(at: now)
        try tx.save(record)
    }

    /// Forgets an account's failures: the right password came, or the account is gone.
    package func clear(_ account: Int, in tx: Transaction) throws {
        try tx.delete(PasswordFailures.self, key(account))
    }

    private func key(_ account: Int) -> Key {
        Key(realm.rawValue, scope.rawValue, account)
    }

    // MARK: Emails without an account

    /// How many seconds an email without an account stays locked, or nil where it is not.
    func secondsLeft(forUnknown email: AddressHash, at now: Timestamp, in tx: Transaction) throws -> Int? {
        try unknown(email, in: tx)?.failures.secondsLeft(at: now)
    }

    /// Counts a failed sign-in to an email that no account has: it costs what a wrong password costs, and locks as an
    /// account does, so that a lock tells nothing.
    func failUnknown(_ email: AddressHash, at now: Timestamp, in tx: Transaction) throws {
        var record =
            try unknown(email, in: tx)
            ?? UnknownFailures(
                realm: realm.rawValue,
                slot: email.slot,
                subject: email.text,
                count: 0,
                last: now,
                lockedUntil: nil
            )
        guard record.failures.secondsLeft(at: now) == nil else { return }
        record.failures.fail(at: now)
        try tx.save(record)
    }

    /// The row of an email; nil where its slot is empty or taken by another one, which it then replaces.
    private func unknown(_ email: AddressHash, in tx: Transaction) throws -> UnknownFailures? {
        let record = try tx.get(UnknownFailures.self, Key(realm.rawValue, email.slot))
        return record?.subject == email.text ? record : nil
    }
}

/// Failures in a row, of an account or of an email without one.
struct FailureCount {
    var count: Int
    var last: Timestamp
    var lockedUntil: Timestamp?

    /// How many seconds the lock goes on: at most its whole length, also where a clock that stood ahead set it.
    func secondsLeft(at now: Timestamp) -> Int? {
        guard let lockedUntil, lockedUntil > now else { return nil }
        return min(now.seconds(until: lockedUntil), Limits.lockoutSeconds)
    }

    /// Whether the count is over.
    func isLapsed(at now: Timestamp) -> Bool {
        last.adding(seconds: Limits.failureCountSeconds) <= now
    }

    mutating func fail(at now: Timestamp) {
        if isLapsed(at: now) { count = 0 }
        count += 1
        last = now
        lockedUntil = nil
        if count >= Limits.failedSignInsMax {
            count = 0
            lockedUntil = now.adding(seconds: Limits.lockoutSeconds)
        }
    }

    /// Corrects times of a clock that stood ahead.
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

extension UnknownFailures: Record {
    package static let collection = Collection<UnknownFailures>("unknown failures", ordered: [byLast])
    static let byLast = OrderedIndex<UnknownFailures>("last") { Key($0.last.seconds, $0.realm, $0.slot) }

    package var key: Key { Key(realm, slot) }

    var failures: FailureCount {
        get { FailureCount(count: count, last: last, lockedUntil: lockedUntil) }
        set { (count, last, lockedUntil) = (newValue.count, newValue.last, newValue.lockedUntil) }
    }
}
