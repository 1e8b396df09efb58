package import Store

/// Sessions and mailed codes that were refused because their time is over, and are to be deleted: if the clock were put
/// back, they would be good again.
///
/// A request that is refused takes back all it did, so they are deleted after it.
package final class ExpiredSecrets {
    private var sessions: Set<Key> = []
    /// The hash of each code by its key, as a newer code has the same key.
    private var codes: [Key: String] = [:]

    package init() {}

    /// Notes a session that was refused.
    func note(_ session: Session) {
        sessions.insert(session.key)
    }

    /// Notes a code that was refused though its text was right.
    func note(_ code: MailedCode) {
        codes[code.key] = code.hash
    }

    private func forget() {
        sessions.removeAll()
        codes.removeAll()
    }

    /// Deletes those that were refused since the last call. Nothing may be staged in the store.
    ///
    /// - Throws: `StoreError`; they are deleted when they are refused again.
    package func delete(in store: Store) throws {
        guard !sessions.isEmpty || !codes.isEmpty else { return }
        do {
            try store.write { tx in
                for key in sessions { try tx.delete(Session.self, key) }
                for (key, hash) in codes where try tx.get(MailedCode.self, key)?.hash == hash {
                    try tx.delete(MailedCode.self, key)
                }
                return .commit(())
            }
            try store.makeDurable()
        } catch {
            store.discardStaged()
            // While another process holds the lock, they wait for the next call.
            if case StoreError.locked = error {} else { forget() }
            throw error
        }
        forget()
    }
}
