package import Platform
package import Store

/// How a store's directory is used.
package struct StoreSettings {
    /// Whether to create a store if none exists.
    package var makesStore = true
    /// Whether to use a directory on a file system whose locks are not known to work.
    package var trustsLocks = false
    /// How long to wait for a lock that another process holds. Normally it is held while one group of requests runs.
    package var lockWaitMilliseconds = 5_000
    /// Whether a transaction blocks while it waits for that lock. If not, `StoreError.locked` asks the caller to run it
    /// again.
    package var waitsInPlace = true
    /// The minimum bytes of a journal for automatic compaction.
    package var compactedJournalBytesMin = Limits.compactedJournalBytesMin
    /// The minimum duration of an epoch before a compaction because of deleted personal data.
    package var erasureSeconds = Limits.erasureSeconds
    /// How long several bases are kept before all of them are merged.
    package var mergeSeconds = Limits.mergeSeconds
    /// The collections whose records hold personal data. After such a record is deleted, all bases are merged within an
    /// hour or two. It is a closure because it is called only when a deletion is read: most starts read none,
    /// and making the collections takes longer than the rest of a start.
    package var personalCollections: @Sendable () -> [AnyCollection] = { [] }
    /// The system.
    package var calls: any SystemCalls = .real

    /// Default settings.
    package init() {}
}
