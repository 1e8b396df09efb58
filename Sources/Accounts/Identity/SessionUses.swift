package import Store
internal import Platform
internal import Synchronization

/// When sessions were last used, as far as the store does not know it yet.
///
/// A use is kept in memory and stored later, together with others, so that a request that only reads writes nothing.
/// The store's time of a session is at most `Limits.sessionUseSeconds` behind, or a quarter of the time that the
/// session may be idle, except after a kill. Several threads may use it at once.
package final class SessionUses: Sendable {
    private struct Use {
        /// The key of the session's record.
        let key: Key
        /// The last use that the store has.
        var stored: Timestamp
        /// The seconds that the store's time may be behind.
        let delay: Int
        var time: Timestamp
        /// When it was stored, in milliseconds of `MonotonicClock`; nil if it is not stored yet.
        ///
        /// It stays for some time: a transaction of another thread may have read the session before, and must not take
        /// it for one that was idle since the earlier use.
        var storedAt: Int?
    }

    private struct State {
        /// By the number of the session, which is unique among all APIs.
        var uses: [Int: Use] = [:]
        /// When the uses are next stored; nil if there are none.
        var due: Timestamp?
    }

    private let state = Mutex(State())

    package init() {}

    /// Records that a request has used a session.
    func insert(_ session: StoredRecord<Session>, at now: Timestamp) {
        state.withLock { state in
            let number = session.record.number
            if let place = state.uses.index(forKey: number), state.uses.values[place].storedAt == nil {
                state.uses.values[place].time = now
            } else {
                let record = session.record
                let delay = record.secondsToStoreUse
                let use = Use(key: record.key, stored: record.lastUseInStore, delay: delay, time: now, storedAt: nil)
                state.uses[number] = use
                state.due = state.due.map { min($0, now.adding(seconds: delay)) } ?? now.adding(seconds: delay)
            }
        }
    }

    /// The last use of a session that is not stored yet; nil if there is none.
    func latest(of number: Int) -> Timestamp? {
        state.withLock { $0.uses[number]?.time }
    }

    /// The seconds until the uses must be stored, 0 if that is due; nil if there are none.
    package func secondsUntilDue(at now: Timestamp) -> Int? {
        state.withLock { state in
            state.due.map { $0.isDue(at: now, within: Limits.sessionUseSeconds) ? 0 : now.seconds(until: $0) }
        }
    }

    /// Stores the uses of at most `Limits.sweptRowsMax` sessions in one transaction, which it makes durable.
    ///
    /// - Returns: whether there are more.
    /// - Throws: `StoreError`. The uses are kept.
    package func store(in store: Store) throws -> Bool {
        let now = MonotonicClock.milliseconds
        let part = state.withLock { state in
            state.uses = state.uses.filter { _, use in
                use.storedAt.map { now - $0 < Limits.storedUseMilliseconds } ?? true
            }
            return Array(state.uses.lazy.filter { $0.value.storedAt == nil }.prefix(Limits.sweptRowsMax))
        }
        guard !part.isEmpty else { return false }
        try store.write { tx in
            for (_, use) in part {
                // A session that has ended meanwhile stays ended.
                guard var session = try tx.get(Session.self, use.key), session.lastUseInStore < use.time else {
                    continue
                }
                session.lastUsed = use.time
                try tx.update(session)
            }
        }
        try store.makeDurable()
        return state.withLock { state in
            for (number, use) in part {
                // Another thread may have used the session meanwhile.
                state.uses[number]?.stored = use.time
                if state.uses[number]?.time == use.time { state.uses[number]?.storedAt = now }
            }
            let waiting = state.uses.values.lazy.filter { $0.storedAt == nil }
            state.due = waiting.map { $0.time.adding(seconds: $0.delay) }.min()
            return part.count == Limits.sweptRowsMax
        }
    }

    /// Removes the uses of sessions whose time in the store is recent enough. A process that ends then stores the
    /// others, so that one that serves a single read writes only if that is due.
    package func removeRecent() {
        state.withLock { state in
            state.uses = state.uses.filter { _, use in
                use.storedAt == nil && use.stored.adding(seconds: use.delay) <= use.time
            }
            if state.uses.isEmpty { state.due = nil }
        }
    }

    /// Tries again after `seconds`, because the store could not be written.
    package func postpone(at now: Timestamp, seconds: Int) {
        state.withLock { $0.due = now.adding(seconds: seconds) }
    }
}

extension Session {
    /// The last use that the store has: the sign-in, if it has no other.
    var lastUseInStore: Timestamp { lastUsed ?? created }

    /// The seconds that the store's time of the last use may be behind. Other processes know no later time, and end a
    /// session that was idle for too long.
    var secondsToStoreUse: Int { min(Limits.sessionUseSeconds, idleSeconds.map { $0 / 4 } ?? .max) }
}
