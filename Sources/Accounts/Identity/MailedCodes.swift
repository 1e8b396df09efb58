package import Store

/// The codes that a realm sends by mail to prove that an address is somebody's: `17-5f0c…`, the number of the account
/// (or of what else it is about) and 128 random bits.
///
/// There is one code at most for a purpose and a holder, so a newer one supersedes it. A code is good once, until it
/// expires. As the holder's number is part of it, wrong guesses are counted against it, and too many end it.
package struct MailedCodes {
    /// What a code proves, and for what alone it is good.
    package enum Purpose: String, Sendable {
        case confirm, reset, verify, claim

        /// How long such a code is good.
        package var seconds: Int {
            switch self {
            case .reset: 3_600
            case .confirm, .verify: 86_400
            case .claim: 7 * 86_400
            }
        }
    }

    private let realm: Realm

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
                tries: 0
            )
        )
        return "\(holder)-\(secret)"
    }

    /// Uses up a code and gives its holder, or nil for a code that is unknown, used, superseded or expired.
    ///
    /// A wrong guess is counted, so the caller must not take the transaction back when it gets nil.
    package func redeem(_ purpose: Purpose, _ code: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        guard let (holder, secret) = Self.parts(of: code) else { return nil }
        guard var record = try tx.get(MailedCode.self, key(purpose, holder)) else { return nil }
        if record.expires > now, record.hash == SecretToken.Hash(of: secret).text {
            try tx.delete(MailedCode.self, record.key)
            return holder
        }
        record.tries += 1
        if record.expires <= now || record.tries >= Limits.codeTriesMax {
            try tx.delete(MailedCode.self, record.key)
        } else {
            try tx.update(record)
        }
        return nil
    }

    /// Whose code a text would be, going by its form alone.
    package static func holder(of code: String) -> Int? {
        parts(of: code)?.holder
    }

    /// Ends the codes of a holder for some purposes.
    package func end(_ purposes: [Purpose], of holder: Int, in tx: Transaction) throws {
        for purpose in purposes { try tx.delete(MailedCode.self, key(purpose, holder)) }
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
    package static let collection = Collection<MailedCode>("codes")

    package var key: Key { Key(realm, purpose, holder) }
}
