package import Store

/// What the account APIs are handed: the store and every source of effects.
package struct Environment {
    /// Where everything is kept.
    package let store: Store
    /// What tells the time.
    package let time: any TimeSource
    /// Where random values come from.
    package let random: any RandomSource
    /// What hashes passwords.
    package let hasher: any PasswordHasher
    /// The mails that wait to go out.
    package let outbox: Outbox

    package init(
        store: Store,
        time: any TimeSource,
        random: any RandomSource,
        hasher: any PasswordHasher,
        outbox: Outbox
    ) {
        self.store = store
        self.time = time
        self.random = random
        self.hasher = hasher
        self.outbox = outbox
    }
}
