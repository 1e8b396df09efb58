package import Store

/// The earlier addresses of an API's accounts that can be restored, each with the mailed code `17-5f0c…`: the number of
/// the account, and 128 random bits.
///
/// A thief who has taken over an account can change its email, its password and its email again. So a reversal survives
/// all of these: it is deleted only when its code, or that of an earlier address, is used, when the account takes the
/// address back, when it expires, or with the account. Until then its address is reserved for the account, or the code
/// would be worthless once somebody else had the address.
package struct EmailReversals {
    private let realm: Realm

    /// - Parameter realm: the API of the accounts.
    package init(_ realm: Realm) {
        self.realm = realm
    }

    /// Reserves the previous address of an account, and returns the text of the code that restores it.
    ///
    /// - Parameter secret: 16 random bytes in hexadecimal, drawn outside the transaction.
    func issue(for account: Int, email: String, secret: String, at now: Timestamp, in tx: Transaction) throws -> String
    {
        try deleteReservation(of: email.lowercased(), in: tx)
        try tx.insert(
            EmailReversal(
                id: try tx.nextNumber(of: EmailReversal.self),
                realm: realm.rawValue,
                account: account,
                email: email,
                hash: SecretToken.Hash(of: secret).text,
                expires: now.adding(seconds: Limits.emailReversalSeconds)
            )
        )
        return "\(account)-\(secret)"
    }

    /// The reversal with a code.
    ///
    /// - Throws: `refusal` for a code that is unknown, used or expired. For an expired code it names the reversal to
    ///   delete.
    func find(
        _ code: String,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: @autoclosure () -> AccountError
    ) throws -> EmailReversal {
        guard let (account, secret) = MailedCodes.parts(of: code),
            let reversal = try tx.find(EmailReversal.byHash, Key(SecretToken.Hash(of: secret))),
            reversal.realm == realm.rawValue, reversal.account == account
        else { throw refusal() }
        guard reversal.expires > now else { throw refusal().refusing(.reversal(reversal.key)) }
        return reversal
    }

    /// Announces what `holder` reads.
    func announceHolder(of address: String, to announced: inout Prefetch) {
        announced.find(EmailReversal.byAddress, Key(realm.rawValue, address))
    }

    /// The account that an address is reserved for; nil if it is not reserved.
    ///
    /// - Parameter address: in lower case.
    func holder(of address: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        try tx.find(EmailReversal.byAddress, Key(realm.rawValue, address)).flatMap {
            $0.expires > now ? $0.account : nil
        }
    }

    /// The seconds until an account may change its email again; nil if it may now.
    ///
    /// A further change is refused instead of deleting the oldest reversal: otherwise, a thief who has taken over an
    /// account could delete the owner's reversal with a few changes.
    func secondsUntilChange(of account: Int, at now: Timestamp, in tx: Transaction) throws -> Int? {
        let ends = try open(of: account, at: now, in: tx).map(\.expires).sorted()
        guard ends.count >= Limits.emailReversalsMax else { return nil }
        // A time that a clock which was ahead has set is corrected by the next sweep.
        return min(now.seconds(until: ends[ends.count - Limits.emailReversalsMax]), Limits.emailReversalSeconds)
    }

    /// Deletes the reversal of an address that an account takes, or takes back, or whose reservation has expired.
    ///
    /// - Parameter address: in lower case.
    func deleteReservation(of address: String, in tx: Transaction) throws {
        guard let reversal = try tx.find(EmailReversal.byAddress, Key(realm.rawValue, address)) else { return }
        try tx.delete(EmailReversal.self, reversal.key)
    }

    /// Deletes a reversal whose code is used, and those of the account's later addresses. The codes of earlier
    /// addresses stay valid.
    func deleteAll(from first: EmailReversal, in tx: Transaction) throws {
        for reversal in try all(of: first.account, in: tx) where reversal.id >= first.id {
            try tx.delete(EmailReversal.self, reversal.key)
        }
    }

    /// Deletes the reversals of an account, when the account is deleted, and returns the addresses that were reserved.
    /// An address whose reservation has expired may belong to another account now.
    func deleteAll(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [String] {
        try all(of: account, in: tx).compactMap { reversal in
            try tx.delete(EmailReversal.self, reversal.key)
            return reversal.expires > now ? reversal.email.lowercased() : nil
        }
    }

    /// The reversals of an account that have not expired.
    func open(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [EmailReversal] {
        try all(of: account, in: tx).filter { $0.expires > now }
    }

    private func all(of account: Int, in tx: Transaction) throws -> [EmailReversal] {
        try tx.scan(EmailReversal.byAccount, prefix: Key(realm.rawValue, account))
    }
}

extension EmailReversal: Record {
    package static let collection = Collection<EmailReversal>(
        "email reversals",
        isNumbered: true,
        unique: [byHash, byAddress],
        ordered: [byAccount, byExpiry]
    )
    static let byHash = UniqueIndex<EmailReversal>("hash", steady: \.hash) { Key($0.hash) }
    static let byAddress = UniqueIndex<EmailReversal>("address", steady: \.email) {
        Key($0.realm, $0.email.lowercased())
    }
    /// The reversals of an account, in the order of the changes.
    static let byAccount = OrderedIndex<EmailReversal>("account") { Key($0.realm, $0.account, $0.id) }
    static let byExpiry = OrderedIndex<EmailReversal>("expiry") { Key($0.expires.seconds, $0.id) }

    package var key: Key { Key(id) }
}

extension EmailChange: Record {
    package static let collection = Collection<EmailChange>("email changes", ordered: [byExpiry])
    static let byExpiry = OrderedIndex<EmailChange>("expiry") { Key($0.expires.seconds, $0.realm, $0.account) }

    package var key: Key { Key(realm, account) }
}
