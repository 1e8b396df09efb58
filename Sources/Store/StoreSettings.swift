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
    package var personalCollections: [AnyCollection] = []
    /// The system calls that change files.
    package var calls = SystemCalls.real

    /// What the keys of records with personal data start with.
    var personalPrefixes: [[UInt8]] { personalCollections.map(\.recordPrefix) }

    /// What suits most uses.
    package init() {}
}
