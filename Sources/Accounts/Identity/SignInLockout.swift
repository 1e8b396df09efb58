package import Store

/// Locks the sign-in of an account after too many failures in a row.
///
/// If the host states the address of its client, failures are counted for each address, so a stranger cannot lock the
/// owner out: the failures of one address lock the account for that address. The failures of all addresses together
/// lock it too, except for addresses that the account has signed in from. Without addresses, all failures count
/// together.
///
///     host states      counted                               locks
///     no address       PasswordFailures, sign-in             all sign-ins without an address
///     an address       NetworkSignIns, PasswordFailures,     the address; all addresses that are not known
///                      sign-in from anywhere
package struct SignInLockout: Sendable {
    /// What a failure has locked.
    enum Lock {
        /// The account for the address of the request.
        case address
        /// The account for all requests, or for all addresses that are not known.
        case account
    }

    private let realm: Realm

    package init(_ realm: Realm) {
        self.realm = realm
    }

    private var unaddressed: Lockout { Lockout(realm, .signIn) }
    private var anywhere: Lockout { Lockout(realm, .signInFromAnywhere) }

    /// What `secondsLeft` reads of an account, announced with the account.
    func companions(from origin: Origin) -> [Prefetch.Companion] {
        guard let network = origin.network else { return [unaddressed.companion] }
        let signIns = Prefetch.Companion(NetworkSignIns.self, before: Key(realm.rawValue), after: Key(network))
        return [signIns, anywhere.companion]
    }

    /// Announces what `secondsLeft` reads of an email that may have no account.
    ///
    /// - Parameter hashKey: the store's key of keyed hashes, if it is known.
    func announce(unknown email: String, from origin: Origin, _ hashKey: HashKey?, to announced: inout Prefetch) {
        HashKey.announce(to: &announced)
        guard let hashKey else { return }
        let unknown = UnknownEmail(email, from: origin, hashKey)
        for hash in [unknown.here, unknown.anywhere].compactMap(\.self) {
            announced.get(UnknownFailures.self, key(of: hash))
        }
    }

    /// The seconds until an account is unlocked for an origin; nil if it is not locked.
    func secondsLeft(for account: Int, from origin: Origin, at now: Timestamp, in tx: Transaction) throws -> Int? {
        guard let network = origin.network else { return try unaddressed.secondsLeft(for: account, at: now, in: tx) }
        let signIns = try tx.get(NetworkSignIns.self, Key(realm.rawValue, account, network))
        if let seconds = signIns?.failures.secondsLeft(at: now) { return seconds }
        guard let seconds = try anywhere.secondsLeft(for: account, at: now, in: tx) else { return nil }
        return signIns?.isKnown(at: now) == true ? nil : seconds
    }

    /// What is counted for an account by network, in no particular order.
    func signIns(of account: Int, in tx: Transaction) throws -> [NetworkSignIns] {
        try tx.all(NetworkSignIns.self, prefix: Key(realm.rawValue, account))
    }

    /// The networks that an account is locked for, each with the seconds until its lock ends.
    func locks(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [(network: String, seconds: Int)] {
        try signIns(of: account, in: tx).compactMap { signIns in
            signIns.failures.secondsLeft(at: now).map { (signIns.network, $0) }
        }
    }

    /// The networks that an account has signed in from, each with the stored time of the last sign-in.
    func known(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [(network: String, time: Timestamp)] {
        try signIns(of: account, in: tx).compactMap { signIns in
            signIns.isKnown(at: now) ? signIns.signedIn.map { (signIns.network, $0) } : nil
        }
    }

    /// Counts a failure.
    ///
    /// - Returns: what the failure has locked; nil for nothing.
    @discardableResult
    func fail(_ account: Int, from origin: Origin, at now: Timestamp, in tx: Transaction) throws -> Lock? {
        guard let network = origin.network else {
            return try unaddressed.fail(account, at: now, in: tx) ? .account : nil
        }
        var signIns = try self.signIns(of: account, network, at: now, in: tx)
        var isLockedHere = false
        if signIns.failures.secondsLeft(at: now) == nil {
            signIns.failures.fail(at: now, max: Limits.failedSignInsMax)
            isLockedHere = signIns.lockedUntil != nil
            try tx.save(signIns)
        }
        return try anywhere.fail(account, at: now, in: tx) ? .account : isLockedHere ? .address : nil
    }

    /// Deletes the failure counts after a sign-in, and makes its address known.
    func succeed(_ account: Int, from origin: Origin, at now: Timestamp, in tx: Transaction) throws {
        guard let network = origin.network else { return try unaddressed.deleteCount(of: account, in: tx) }
        try anywhere.deleteCount(of: account, in: tx)
        var signIns = try self.signIns(of: account, network, at: now, in: tx)
        if signIns.count == 0, let last = signIns.signedIn, last <= now,
            last.adding(seconds: Limits.knownAddressStoreSeconds) > now
        {
            return
        }
        signIns.failures = FailureCount(count: 0, last: now, lockedUntil: nil)
        signIns.signedIn = now
        try tx.save(signIns)
        try deleteOldest(of: account, in: tx)
    }

    /// The record of an address; a new one if the account has none.
    private func signIns(
        of account: Int,
        _ network: String,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> NetworkSignIns {
        try tx.get(NetworkSignIns.self, Key(realm.rawValue, account, network))
            ?? NetworkSignIns(
                realm: realm.rawValue,
                account: account,
                network: network,
                count: 0,
                last: now,
                lockedUntil: nil,
                signedIn: nil
            )
    }

    /// Keeps the `Limits.knownAddressesMax` addresses of the latest sign-ins.
    private func deleteOldest(of account: Int, in tx: Transaction) throws {
        let known = try signIns(of: account, in: tx).filter { $0.signedIn != nil }
        guard known.count > Limits.knownAddressesMax else { return }
        let oldest = known.sorted { ($0.signedIn ?? $0.last) < ($1.signedIn ?? $1.last) }
        for signIns in oldest.prefix(known.count - Limits.knownAddressesMax) {
            try tx.delete(NetworkSignIns.self, signIns.key)
        }
    }

    // MARK: Emails without an account

    // An email without an account locks like one with an account, so a lock does not reveal whether the account exists.
    // The same number of records is read and written.

    /// The keyed hashes of an email without an account: those under which its failures are counted.
    struct UnknownEmail {
        /// With the address of the request, if the host states one.
        let here: KeyedHash
        /// For all addresses together; nil if the host states no address.
        let anywhere: KeyedHash?

        /// - Parameter newKey: the key of keyed hashes, used if the store has none.
        init(_ email: String, from origin: Origin, newKey: String, in tx: Transaction) throws {
            here = try KeyedHash(of: Self.text(email, origin), newKey: newKey, in: tx)
            anywhere = try Self.textOfAll(email, origin).map { try KeyedHash(of: $0, newKey: newKey, in: tx) }
        }

        init(_ email: String, from origin: Origin, _ key: HashKey) {
            here = KeyedHash(of: Self.text(email, origin), key)
            anywhere = Self.textOfAll(email, origin).map { KeyedHash(of: $0, key) }
        }

        /// Nil if the store has no key. It has no counts either then.
        init?(_ email: String, from origin: Origin, in tx: Transaction) throws {
            guard let here = try KeyedHash(of: Self.text(email, origin), in: tx) else { return nil }
            self.here = here
            anywhere = try Self.textOfAll(email, origin).flatMap { try KeyedHash(of: $0, in: tx) }
        }

        // No email contains a space.

        private static func text(_ email: String, _ origin: Origin) -> String {
            origin.network.map { "\(email) \($0)" } ?? email
        }

        private static func textOfAll(_ email: String, _ origin: Origin) -> String? {
            origin.network.map { _ in "\(email) anywhere" }
        }
    }

    /// The seconds until an email without an account is unlocked; nil if it is not locked.
    func secondsLeft(forUnknown email: UnknownEmail, at now: Timestamp, in tx: Transaction) throws -> Int? {
        if let seconds = try unknown(email.here, in: tx)?.failures.secondsLeft(at: now) { return seconds }
        guard let anywhere = email.anywhere else { return nil }
        return try unknown(anywhere, in: tx)?.failures.secondsLeft(at: now)
    }

    /// Counts a failed sign-in with an email that has no account.
    ///
    /// - Returns: what the failure has locked; nil for nothing.
    @discardableResult
    func failUnknown(_ email: UnknownEmail, at now: Timestamp, in tx: Transaction) throws -> Lock? {
        let isLockedHere = try failUnknown(email.here, max: Limits.failedSignInsMax, at: now, in: tx)
        guard let anywhere = email.anywhere else { return isLockedHere ? .account : nil }
        let isLockedAnywhere = try failUnknown(anywhere, max: Limits.failedSignInsFromAnywhereMax, at: now, in: tx)
        return isLockedAnywhere ? .account : isLockedHere ? .address : nil
    }

    private func failUnknown(_ hash: KeyedHash, max: Int, at now: Timestamp, in tx: Transaction) throws -> Bool {
        var record =
            try unknown(hash, in: tx)
            ?? UnknownFailures(
                realm: realm.rawValue,
                slot: hash.slot,
                subject: hash.text,
                count: 0,
                last: now,
                lockedUntil: nil
            )
        guard record.failures.secondsLeft(at: now) == nil else { return false }
        record.failures.fail(at: now, max: max)
        try tx.save(record)
        return record.lockedUntil != nil
    }

    private func key(of hash: KeyedHash) -> Key { Key(realm.rawValue, hash.slot) }

    /// The row of a hash; nil if its slot is empty or contains another one. The caller then overwrites the slot.
    private func unknown(_ hash: KeyedHash, in tx: Transaction) throws -> UnknownFailures? {
        let record = try tx.get(UnknownFailures.self, key(of: hash))
        return record?.subject == hash.text ? record : nil
    }
}

extension NetworkSignIns: Record {
    package static let collection = Collection<NetworkSignIns>("sign-in addresses", ordered: [byEnd])
    /// In the order in which they are no longer needed.
    static let byEnd = OrderedIndex<NetworkSignIns>("end") { signIns in
        Key(signIns.end.seconds, "\(signIns.realm) \(signIns.account)", signIns.network)
    }

    package var key: Key { Key(realm, account, network) }

    var failures: FailureCount {
        get { FailureCount(count: count, last: last, lockedUntil: lockedUntil) }
        set { (count, last, lockedUntil) = (newValue.count, newValue.last, newValue.lockedUntil) }
    }

    /// Whether the account has signed in from the address lately.
    func isKnown(at now: Timestamp) -> Bool {
        signedIn.map { $0.adding(seconds: Limits.knownAddressSeconds) > now } ?? false
    }

    /// When the address is no longer known and its failures have lapsed.
    var end: Timestamp {
        let lapse = last.adding(seconds: Limits.failureCountSeconds)
        return signedIn.map { max(lapse, $0.adding(seconds: Limits.knownAddressSeconds)) } ?? lapse
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
