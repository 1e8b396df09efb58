package import Store

/// Sessions that were refused because their time is over, and are to be ended for good: were the clock put back, they
/// would be good again.
///
/// The request that is refused takes all back that it did, so they are ended after it.
package final class ExpiredSessions {
    private var keys: Set<Key> = []

    package init() {}

    /// Takes note of a session that was refused.
    func note(_ session: Session) {
        keys.insert(session.key)
    }

    /// Ends those that were refused since the last call. Nothing may be staged in the store.
    ///
    /// - Throws: `StoreError`; they are ended when they are refused again.
    package func end(in store: Store) throws {
        guard !keys.isEmpty else { return }
        defer { keys.removeAll() }
        do {
            try store.transact { tx in
                for key in keys { try tx.delete(Session.self, key) }
            }
            try store.makeDurable()
        } catch {
            store.discardStaged()
            throw error
        }
    }
}
