package import Store

/// A session or a mailed code whose time is over.
package enum ExpiredSecret: Hashable, Sendable {
    case session(Key)
    /// With the code's hash, as a newer code has the same key.
    case code(Key, hash: String)
}

/// Sessions and mailed codes that were refused because their time is over, and are to be deleted: if the clock were put
/// back, they would be valid again.
///
/// A request that is refused takes back all it did, so they are deleted after it.
package struct ExpiredSecrets {
    private var secrets: Set<ExpiredSecret> = []

    package init() {}

    /// Adds what a refusal names.
    package mutating func insert(_ expired: ExpiredSecret) {
        secrets.insert(expired)
    }

    /// Deletes those that were added since the last call. Nothing may be staged in the store.
    ///
    /// - Throws: `StoreError`; they are deleted when they are refused again.
    package mutating func delete(in store: Store) throws {
        guard !secrets.isEmpty else { return }
        do {
            try store.write { tx in
                for secret in secrets { try Self.delete(secret, in: tx) }
            }
            try store.makeDurable()
        } catch {
            store.discardStaged()
            // While another process holds the lock, they wait for the next call.
            if case StoreError.locked = error {} else { secrets.removeAll() }
            throw error
        }
        secrets.removeAll()
    }

    private static func delete(_ secret: ExpiredSecret, in tx: Transaction) throws {
        switch secret {
        case .session(let key): try tx.delete(Session.self, key)
        case .code(let key, let hash):
            if try tx.get(MailedCode.self, key)?.hash == hash { try tx.delete(MailedCode.self, key) }
        }
    }
}
