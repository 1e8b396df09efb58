package import Store

/// The codes that a realm sends by mail to prove that an address is somebody's: `17-5f0c…`, the number of the account
/// (or of what else it is about) and 128 random bits.
///
/// There is one code at most for a purpose and a holder, so a newer one supersedes it. A code is good once, until it
/// expires. A wrong guess changes nothing and writes nothing: 128 bits cannot be guessed, and a limit on guesses would let a
/// stranger end the owner's code.
package struct MailedCodes {
    /// What a code proves, and for what alone it is good.
    package enum Purpose: String, CaseIterable, Sendable {
        case confirm, reset, verify, claim

        /// How long such a code is good.
        package var seconds: Int {
            switch self {
            case .reset: Limits.resetCodeSeconds
            case .confirm, .verify: Limits.confirmationCodeSeconds
            case .claim: Limits.claimCodeSeconds
            }
        }

        /// Whether a used code goes on answering the same success for a while: it confirms an address, which mail scanners
        /// and double clicks do twice.
        package var isRepeatable: Bool {
            switch self {
            case .confirm, .verify: true
            case .reset, .claim: false
            }
        }

        /// Whether the holder is an account; the holder of a claim is a share.
        fileprivate var isOfAccount: Bool { self != .claim }
    }

    private let realm: Realm

    /// - Parameter realm: whose accounts they are of.
    package init(_ realm: Realm) {
        self.realm = realm
    }

    /// Makes `secret` the code of a holder for a purpose, in place of any earlier one, and gives its text.
    ///
    /// - Parameter secret: 16 random bytes in hexadecimal, drawn outside of the transaction.
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

    /// The holder of a code that `redeem` would take now. Changes nothing: a request looks before it hashes a password, and
    /// before it compares the holder with its sender.
    ///
    /// - Throws: `refusal` for a code that is unknown, used, superseded or expired; it names one that is expired.
    package func find(
        _ purpose: Purpose,
        _ code: String,
        at now: Timestamp,
        in tx: Transaction,
        orThrow refusal: @autoclosure () -> AccountError
    ) throws -> Int {
        try record(purpose, code, at: now, in: tx, orThrow: refusal).holder
    }

    /// Uses a code and gives its holder.
    ///
    /// A code that confirms an address gives its holder again for `Limits.usedCodeSeconds` after its use.
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

    /// The record of a code that is good, or that confirmed an address of late.
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

    /// Whose code a text would be, going by its form alone.
    package static func holder(of code: String) -> Int? {
        parts(of: code.trimmedToken)?.holder
    }

    /// Ends the codes of a holder for some purposes, used ones too.
    package func end(_ purposes: [Purpose], of holder: Int, in tx: Transaction) throws {
        for purpose in purposes { try tx.delete(MailedCode.self, key(purpose, holder)) }
    }

    /// Ends every code of an account that is not used yet: its password was changed or reset.
    package func endUnused(of account: Int, in tx: Transaction) throws {
        for purpose in Purpose.allCases where purpose.isOfAccount {
            let key = key(purpose, account)
            if try tx.get(MailedCode.self, key)?.isUsed == false { try tx.delete(MailedCode.self, key) }
        }
    }

    /// Forgets every code of an account; it is deleted.
    package func forget(_ account: Int, in tx: Transaction) throws {
        try end(Purpose.allCases.filter(\.isOfAccount), of: account, in: tx)
    }

    private static func parts(of code: String) -> (holder: Int, secret: String)? {
        // A code that was issued is ASCII, and what is longer than the longest of them is not worth splitting.
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
    /// The codes of a realm and purpose, which all live equally long, in the order in which they expire.
    static let byExpiry = OrderedIndex<MailedCode>("expiry") { code in
        Key("\(code.realm) \(code.purpose)", code.expires.seconds, code.holder)
    }

    package var key: Key { Key(realm, purpose, holder) }
}
