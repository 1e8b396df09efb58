package import Store

/// Sessions to be corrected after the requests that met them.
///
/// One that was refused because its time is over is ended for good: it would be good again if the clock were set back. One
/// that ends later than any session can was opened while the clock stood ahead, and gets the end of a session that is
/// opened now. The request itself cannot write either: a refused one is rolled back, and others only read.
package final class ExpiredSessions {
    /// What each session's end is to be; nil ends it.
    private var ends: [Key: Timestamp?] = [:]

    package init() {}

    /// Notes a session that was refused.
    func note(_ session: Session) {
        ends[session.key] = .some(nil)
    }

    /// Notes a session that ends too late.
    func note(_ session: Session, endingAt end: Timestamp) {
        ends[session.key] = end
    }

    /// Corrects those that were noted since the last call. Nothing may be staged in the store.
    ///
    /// - Throws: `StoreError`; they are corrected when a request meets them again.
    package func end(in store: Store) throws {
        guard !ends.isEmpty else { return }
        defer { ends.removeAll() }
        do {
            try store.transact { tx in
                for (key, end) in ends {
                    if let end {
                        guard var session = try tx.get(Session.self, key), session.expires > end else { continue }
                        session.expires = end
                        try tx.update(session)
                    } else {
                        try tx.delete(Session.self, key)
                    }
                }
            }
            try store.makeDurable()
        } catch {
            store.discardStaged()
            throw error
        }
    }
}
