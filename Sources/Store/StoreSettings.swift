package import Platform

/// How a store's directory is used.
package struct StoreSettings {
    /// Whether to make a store where there is none.
    package var makesStore = true
    /// Whether to use a directory on a file system whose locks are not known to work.
    package var trustsLocks = false
    /// How long to wait for a lock that another process holds, which takes microseconds where nothing is wrong.
    package var lockWaitMilliseconds = 5_000
    /// Whether a transaction stands still while it waits for that lock; else `StoreError.locked` asks to run it again.
    package var waitsInPlace = true
    /// The bytes of a journal below which it is not merged by itself.
    package var mergedJournalBytesMin = Limits.mergedJournalBytesMin
    /// How long an epoch lasts at least before it is ended because personal data were deleted.
    package var erasureSeconds = Limits.erasureSeconds
    /// The collections whose records hold personal data: after one is deleted, the journal is merged within an hour or two.
    /// Asked for once a deletion is met, as most starts meet none and making collections takes longer than all else of a start.
    package var personalCollections: @Sendable () -> [AnyCollection] = { [] }
    /// The system calls that change files.
    package var calls = SystemCalls.real

    /// What suits most uses.
    package init() {}
}
