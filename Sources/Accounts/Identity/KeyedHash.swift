internal import CSodium
package import Store
import Platform

/// A keyed hash of what is counted without an account: an email address, a network, or an email from a network. Counts
/// are stored under it, so they contain no address, and deleting an account leaves no address behind.
///
/// Each store has its own random key. Without a key, hashes of guessed addresses could be compared with stored ones.
package struct KeyedHash: Sendable {
    /// The length of the BLAKE2b hash in bytes.
    static let bytesCount = 16
    /// The hash in hexadecimal.
    package let text: String
    /// The row of the hash in a table of a fixed size, `Limits.unknownAddressSlotsMax` rows.
    let slot: Int

    /// Hashes a text with the store's key. Creates the key if the store has none.
    ///
    /// - Parameters:
    ///   - subject: what is counted; addresses are in lower case.
    ///   - newKey: 16 random bytes in hexadecimal, drawn outside the transaction.
    init(of subject: String, newKey: String, in tx: Transaction) throws {
        self.init(of: subject, try HashKey.make(newKey: newKey, in: tx))
    }

    /// Hashes a text with the store's key; nil if the store has no key. It has no counts either then.
    init?(of subject: String, in tx: Transaction) throws {
        guard let key = try HashKey.stored(in: tx) else { return nil }
        self.init(of: subject, key)
    }

    init(of subject: String, _ key: HashKey) {
        Sodium.makeReady()
        let (message, key) = (Array(subject.utf8), Array(key.secret.utf8))
        var hash = [UInt8](repeating: 0, count: Self.bytesCount)
        // The call fails only for invalid lengths, and these are constant.
        _ = crypto_generichash(&hash, hash.count, message, UInt64(message.count), key, key.count)
        text = hash.hexText
        slot = (Int(hash[0]) << 16 | Int(hash[1]) << 8 | Int(hash[2])) % Limits.unknownAddressSlotsMax
    }
}

/// The store's key of keyed hashes, once it was read. It says only which records to announce: a transaction that hashes
/// reads the key itself, so a key that was read in vain does no harm.
final class HashKeyMemory {
    private(set) var key: HashKey?

    /// Remembers the key, if the store has one. Returns whether it was not known before.
    @discardableResult
    func learn(in tx: Transaction) throws -> Bool {
        guard key == nil else { return false }
        key = try HashKey.stored(in: tx)
        return key != nil
    }
}

extension HashKey: Record {
    package static let collection = Collection<HashKey>("hash key")
    private static let onlyKey = Key(1)

    /// The store's key; nil if it has none.
    static func stored(in tx: Transaction) throws -> HashKey? { try tx.get(HashKey.self, onlyKey) }

    /// The store's key, which is created if it has none.
    @discardableResult
    static func make(newKey: String, in tx: Transaction) throws -> HashKey {
        if let stored = try stored(in: tx) { return stored }
        let key = HashKey(number: 1, secret: newKey)
        try tx.insert(key)
        return key
    }

    /// Announces `stored`.
    static func announce(to announced: inout Prefetch) { announced.get(HashKey.self, onlyKey) }

    package var key: Key { Key(number) }
}
