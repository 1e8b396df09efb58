/// What the store takes at most, each with its unit last in its name; what the contract states is generated from
/// schema/limits.json.
package enum Limits {
    /// The bytes of a manifest, or of a journal's header line; nothing longer is read as one.
    static let headerBytesMax = 4096
    /// The bytes of a base up to which it is read through when it is opened. What is larger would take long; of it a line is
    /// checked when it is read.
    static let verifiedBaseBytesMax = 1 << 20
    /// How far into a base the line of damage is counted for a request; `postern check` counts on.
    static let countedBaseBytesMax = 16 << 20
    /// How much of a base is read ahead by whoever goes through it.
    static let readAheadBytes = 1 << 20
    /// The bytes of a base within which a search keeps no account of where lines start.
    static let searchedBytes = 4096
    /// For how many bytes of a base there is room to keep where one line starts.
    static let baseBytesPerKnownPlace = 256
    /// How many values of a base are kept in memory because they were asked for of late; a power of two.
    static let recentValuesMax = 8192
    /// How many bytes of a base are written at once, and how many without a sync.
    static let mergeBufferBytes = 1 << 20
    static let mergeSyncBytes = 4 << 20
    /// The bytes of a journal below which it is not merged by itself.
    package static let mergedJournalBytesMin = 4 << 20
    /// A journal is merged once it has outgrown this part of its base.
    static let mergedBasePart = 8
    /// How long a process that answers requests stands still for the directory's lock before it goes on without.
    static let lockPauseMilliseconds = 20
    /// How long an epoch lasts at least before it is ended for the sake of personal data that were deleted.
    package static let erasureSeconds = 3_600
    /// How often that is looked at.
    static let maintenanceMilliseconds = 60_000
    /// How long to wait for the sync of another process before making one beside it.
    static let syncWaitMilliseconds = 1_000
    /// After how many entries a merge looks whether it is to go on.
    static let mergeEntriesBetweenLooks = 4096
    /// How long a merge waits for a lock that another process holds.
    static let mergeLockWaitMilliseconds = 60_000
    /// Where a journal's last line is looked for, before it is read.
    static let tailBytes = 64 << 10
    /// The bytes of a journal from which on most of it is read before the lock is taken.
    static let longJournalBytes = 1 << 20
    /// How far ahead of its lines a journal grows, and the bytes of a write from which on it is not worth it.
    static let journalRoomBytes = 64 << 10
    static let roomyWriteBytesMax = 16 << 10
    /// The bytes behind a journal's last known line that are read at first, to see what others have added.
    static let newsBytes = 4 << 10
    /// How many bytes of the journal are carried over to the next one at a time.
    static let carriedBytes = 256 << 10
    /// The bytes of entries that an import sorts in memory before it writes them to a scratch file.
    static let sortedBytesInMemory = 48 << 20
    /// The bytes of one sorted run that are read at once, and of all runs together.
    static let runBufferBytes = 256 << 10
    static let runBuffersBytes = 48 << 20
    /// How many faults a check tells of.
    static let faultsToldMax = 100
    /// The bytes of an output buffer that is kept for the next write.
    static let outputBytesKept = 4 << 20
    /// What a disk writes wholly or not at all; a hole that a power cut leaves begins and ends at a multiple of it.
    static let sectorBytes = 512
}
