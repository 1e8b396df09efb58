package import Store

/// The dependencies of the account APIs: the store and every source of effects.
package struct Environment {
    /// The store of all records.
    package let store: Store
    /// The clock.
    package let time: any TimeSource
    /// The source of random values.
    package let random: any RandomSource
    /// The password hasher.
    package let hasher: any PasswordHasher
    /// The mails that wait to be delivered.
    package let outbox: Outbox
    /// The uses of sessions that are not stored yet.
    package let sessionUses: SessionUses
    /// The store's key of keyed hashes.
    let hashKey = HashKeyMemory()

    package init(
        store: Store,
        time: any TimeSource,
        random: any RandomSource,
        hasher: any PasswordHasher,
        outbox: Outbox,
        sessionUses: SessionUses = SessionUses()
    ) {
        self.store = store
        self.time = time
        self.random = random
        self.hasher = hasher
        self.outbox = outbox
        self.sessionUses = sessionUses
    }
}
