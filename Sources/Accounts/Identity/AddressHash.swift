internal import CSodium
package import Store
import Platform

/// The keyed hash under which counts of an address are stored, so that they hold no address and a deletion leaves none.
///
/// The key is random, one for each store: without it, hashes of guessed addresses could be compared with stored ones.
package struct AddressHash: Sendable {
    /// How many bytes of BLAKE2b it has.
    static let bytesCount = 16
    /// Those bytes in hexadecimal.
    package let text: String
    /// The slot of addresses without an account in a table of `Limits.unknownAddressSlotsMax` rows.
    let slot: Int

    /// The hash of an address with the store's key, which is created where there is none yet.
    ///
    /// - Parameters:
    ///   - address: the address in lower case.
    ///   - newKey: 16 random bytes in hexadecimal, drawn outside of the transaction.
    init(of address: String, newKey: String, in tx: Transaction) throws {
        let key: HashKey
        if let stored = try tx.get(HashKey.self, HashKey.onlyKey) {
            key = stored
        } else {
            key = HashKey(number: 1, secret: newKey)
            try tx.insert(key)
        }
        self.init(of: address, key: key.secret)
    }

    /// The hash of an address; nil where the store has no key yet, and so no counts either.
    init?(of address: String, in tx: Transaction) throws {
        guard let key = try tx.get(HashKey.self, HashKey.onlyKey) else { return nil }
        self.init(of: address, key: key.secret)
    }

    private init(of address: String, key: String) {
        Sodium.makeReady()
        let (message, key) = (Array(address.utf8), Array(key.utf8))
        var hash = [UInt8](repeating: 0, count: Self.bytesCount)
        // It fails only for lengths outside its bounds, and these are constant.
        _ = crypto_generichash(&hash, hash.count, message, UInt64(message.count), key, key.count)
        text = hash.hexText
        slot = (Int(hash[0]) << 16 | Int(hash[1]) << 8 | Int(hash[2])) % Limits.unknownAddressSlotsMax
    }
}

extension HashKey: Record {
    package static let collection = Collection<HashKey>("hash key")
    fileprivate static let onlyKey = Key(1)

    /// Whether the store has its key already.
    static func isThere(in tx: Transaction) throws -> Bool { try tx.get(HashKey.self, onlyKey) != nil }

    package var key: Key { Key(number) }
}
