package import Store

/// A session or a mailed code that has expired.
package enum ExpiredSecret: Hashable, Sendable {
    case session(Key)
    /// The code's hash is needed because a newer code has the same key.
    case code(Key, hash: String)
    /// A code that restores an earlier address.
    case reversal(Key)
}

/// The expired sessions and mailed codes that requests were refused for, and that must be deleted: if the clock were
/// set back, they would be valid again.
///
/// They are deleted after the request, because the writes of a refused request are discarded.
package struct ExpiredSecrets {
    private var secrets: Set<ExpiredSecret> = []

    package init() {}

    /// Adds the expired secret of a refused request.
    package mutating func insert(_ expired: ExpiredSecret) {
        secrets.insert(expired)
    }

    /// Deletes the secrets that were added since the last call. No writes may be staged in the store.
    ///
    /// - Throws: `StoreError`. If another process holds the lock, the secrets wait for the next call. After any other
    ///   error they are dropped, and deleted when a request uses them again.
    package mutating func delete(in store: Store) throws {
        guard !secrets.isEmpty else { return }
        do {
            try store.write { tx in
                for secret in secrets { try Self.delete(secret, in: tx) }
            }
            try store.makeDurable()
        } catch {
            store.discardStaged()
            // If another process holds the lock, the next call tries again.
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
        case .reversal(let key): try tx.delete(EmailReversal.self, key)
        }
    }
}
