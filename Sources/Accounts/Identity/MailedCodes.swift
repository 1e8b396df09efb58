package import Store

/// The codes that a realm mails to prove that an address belongs to a user: `17-5f0c…`, the number of the holder (an
/// account or a share) and 128 random bits.
///
/// Each purpose and holder has at most one code; a newer code replaces it. A code can be used once, until it expires. A
/// wrong guess writes nothing: 128 bits cannot be guessed, and a limit on guesses would let a stranger invalidate the
/// owner's code.
package struct MailedCodes {
    /// What a code proves. A code is valid for its purpose only.
    package enum Purpose: String, CaseIterable, Sendable {
        case confirm, reset, verify, claim
        case changeEmail = "change-email"

        /// How long such a code is valid.
        package var seconds: Int {
            switch self {
            case .reset: Limits.resetCodeSeconds
            case .confirm, .verify, .changeEmail: Limits.confirmationCodeSeconds
            case .claim: Limits.claimCodeSeconds
            }
        }

        /// Whether a used code returns the same success for a while. Codes that confirm an address do, because mail
        /// scanners and double clicks use them twice.
        package var isRepeatable: Bool {
            switch self {
            case .confirm, .verify, .changeEmail: true
            case .reset, .claim: false
            }
        }

        /// Whether the holder is an account; the holder of a claim is a share.
        var isOfAccount: Bool { self != .claim }
    }

    private let realm: Realm

    /// - Parameter realm: the API that the codes belong to.
    package init(_ realm: Realm) {
        self.realm = realm
    }

    /// The code of an account for a purpose, announced with the account.
    func companion(_ purpose: Purpose) -> Prefetch.Companion {
        Prefetch.Companion(MailedCode.self, before: Key(realm.rawValue, purpose.rawValue))
    }

    /// Issues a code, which replaces any earlier code of the holder and purpose, and returns its text.
    ///
    /// - Parameter secret: 16 random bytes in hexadecimal, drawn outside the transaction.
    package func issue(
        _ purpose: Purpose,
        for holder: Int,
        secret: String,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> String {
        try tx.save(
            MailedCode(
                realm: realm.rawValue,
                purpose: purpose.rawValue,
                holder: holder,
                hash: SecretToken.Hash(of: secret).text,
                expires: now.adding(seconds: purpose.seconds),
                isUsed: false
            )
        )
        return "\(holder)-\(secret)"
    }

    /// The holder of a code that `redeem` would accept now. Changes nothing.
    ///
    /// A request calls it before it hashes a password, or to compare the holder with its sender before it redeems the
    /// code.
    ///
    /// - Throws: `refusal` for a code that is unknown, used, superseded or expired. For an expired code it names the
    ///   code to delete.
    package func find(
        _ purpose: Purpose,
        _ code: String,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: @autoclosure () -> AccountError
    ) throws -> Int {
        try record(purpose, code, at: now, in: tx, orThrow: refusal).holder
    }

    /// Uses a code and returns its holder.
    ///
    /// A code that confirms an address returns its holder again for `Limits.usedCodeSeconds` after its use.
    ///
    /// - Throws: `refusal`, as `find` does.
    package func redeem(
        _ purpose: Purpose,
        _ code: String,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: @autoclosure () -> AccountError
    ) throws -> Int {
        var record = try record(purpose, code, at: now, in: tx, orThrow: refusal)
        if !purpose.isRepeatable {
            try tx.delete(MailedCode.self, record.key)
        } else if !record.isUsed {
            record.isUsed = true
            record.expires = now.adding(seconds: Limits.usedCodeSeconds)
            try tx.update(record)
        }
        return record.holder
    }

    /// Whether the holder's newest code for a purpose has confirmed an address.
    func isUsed(_ purpose: Purpose, of holder: Int, in tx: Transaction) throws -> Bool {
        try tx.get(MailedCode.self, key(purpose, holder))?.isUsed ?? false
    }

    /// The record of a code that is valid, or that confirmed an address within `Limits.usedCodeSeconds`.
    private func record(
        _ purpose: Purpose,
        _ code: String,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: () -> AccountError
    ) throws -> MailedCode {
        guard let (holder, secret) = Self.parts(of: code),
            let record = try tx.get(MailedCode.self, key(purpose, holder)),
            record.hash == SecretToken.Hash(of: secret).text
        else { throw refusal() }
        guard record.expires > now else { throw refusal().refusing(.code(record.key, hash: record.hash)) }
        return record
    }

    /// The holder in the text of a code, which may be unknown or invalid; nil if the text does not have a code's
    /// format.
    package static func holder(of code: String) -> Int? {
        parts(of: code.trimmedToken)?.holder
    }

    /// Deletes the codes of a holder for some purposes, including used ones.
    package func delete(_ purposes: [Purpose], of holder: Int, in tx: Transaction) throws {
        for purpose in purposes { try tx.delete(MailedCode.self, key(purpose, holder)) }
    }

    /// The codes of an account that are neither used nor expired.
    func unused(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [MailedCode] {
        try Purpose.allCases.filter(\.isOfAccount).compactMap { purpose in
            try tx.get(MailedCode.self, key(purpose, account)).flatMap { !$0.isUsed && $0.expires > now ? $0 : nil }
        }
    }

    /// Deletes every unused code of an account, after its password was changed or reset.
    package func deleteUnused(of account: Int, in tx: Transaction) throws {
        for purpose in Purpose.allCases where purpose.isOfAccount {
            let key = key(purpose, account)
            if try tx.get(MailedCode.self, key)?.isUsed == false { try tx.delete(MailedCode.self, key) }
        }
    }

    /// Deletes every code of an account, when the account is deleted.
    package func deleteAll(of account: Int, in tx: Transaction) throws {
        try delete(Purpose.allCases.filter(\.isOfAccount), of: account, in: tx)
    }

    /// The holder and the secret in the text of a code; nil if the text does not have a code's format.
    static func parts(of code: String) -> (holder: Int, secret: String)? {
        // Issued codes are ASCII, so a text with more bytes than this cannot be a code and is not split.
        guard code.utf8.count <= Limits.codeCharactersMax else { return nil }
        let parts = code.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let holder = Int(parts[0]), Key.numbers.contains(holder) else { return nil }
        return (holder, String(parts[1]))
    }

    private func key(_ purpose: Purpose, _ holder: Int) -> Key {
        Key(realm.rawValue, purpose.rawValue, holder)
    }
}

extension MailedCode: Record {
    package static let collection = Collection<MailedCode>("codes", ordered: [byExpiry])
    /// The codes of a realm and purpose, in the order in which they expire.
    static let byExpiry = OrderedIndex<MailedCode>("expiry") { code in
        Key("\(code.realm) \(code.purpose)", code.expires.seconds, code.holder)
    }

    package var key: Key { Key(realm, purpose, holder) }
}
