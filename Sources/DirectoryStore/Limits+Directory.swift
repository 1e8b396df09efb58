package import Store

/// The limits of the directory engine.
extension Limits {
    /// The maximum bytes of a manifest, or of a journal's header line. A longer file or line is not parsed as one.
    static let headerBytesMax = 4096
    /// The maximum bytes of a base that is verified completely when it is opened. Larger bases would take long; their
    /// lines are verified when they are read.
    static let verifiedBaseBytesMax = 1 << 20
    /// The offset in a base up to which a request counts the line number of damage. `postern check` always counts it.
    static let countedBaseBytesMax = 16 << 20
    /// How many bytes of a base are read ahead for a sequential reader.
    static let readAheadBytes = 1 << 20
    /// A search caches the middle lines of those ranges of a base that are longer than this number of bytes.
    static let searchedBytes = 4096
    /// The cache of line offsets has one place for this many bytes of a base.
    static let baseBytesPerKnownPlace = 256
    /// How many recently used values of a base are cached; a power of two.
    static let recentValuesMax = 8192
    /// How many bytes of a base are written at once, and how many are written before a sync.
    static let baseBufferBytes = 1 << 20
    static let baseSyncBytes = 4 << 20
    /// The minimum bytes of a journal for automatic compaction.
    package static let compactedJournalBytesMin = 4 << 20
    /// A journal is compacted when what a base can take of it is more than the rest divided by this number.
    static let carriedPart = 8
    /// A compaction merges a base that is shorter than this number times what is merged before it.
    static let baseGrowth = 4
    /// How many bases one compaction writes of what is written meanwhile, at most.
    static let laterBasesMax = 4
    /// How long a process that serves requests blocks for the directory lock before it puts the request aside and
    /// retries.
    static let lockSpinMilliseconds = 20
    /// The minimum duration of an epoch before a compaction because of deleted personal data.
    package static let erasureSeconds = 3_600
    /// How long several bases are kept before all of them are merged, so that what was deleted or replaced is erased.
    package static let mergeSeconds = 86_400
    /// How often the store checks whether such a compaction is due.
    static let maintenanceMilliseconds = 60_000
    /// How long to wait for the sync of another process before this process starts one.
    static let syncWaitMilliseconds = 1_000
    /// After how many entries a compaction checks whether it was cancelled.
    static let compactionEntriesBetweenChecks = 4096
    /// How long a compaction waits for a lock that another process holds.
    static let compactionLockWaitMilliseconds = 60_000
    /// The length of the end of a journal in which its last line is searched for before the line is read.
    static let tailBytes = 64 << 10
    /// The bytes of a journal from which on most of it is read before the lock is taken.
    static let longJournalBytes = 1 << 20
    /// How many bytes of room are preallocated in a journal, and the largest write that preallocates room.
    static let journalRoomBytes = 64 << 10
    static let roomyWriteBytesMax = 16 << 10
    /// How many bytes after a journal's last known line are read first to find transactions of other processes.
    static let newsBytes = 4 << 10
    /// How many bytes of a journal are carried over to the next one at a time.
    static let carriedBytes = 256 << 10
    /// How many bytes of entries an import sorts in memory before it writes them to a scratch file.
    static let sortedBytesInMemory = 48 << 20
    /// How many bytes of one sorted run are read at once, and of all runs together.
    static let runBufferBytes = 256 << 10
    static let runBuffersBytes = 48 << 20
    /// The maximum number of faults that a check reports.
    static let faultsReportedMax = 100
    /// The maximum capacity in bytes of an output buffer that is kept for the next write.
    static let outputBytesKept = 4 << 20
    /// The unit that a disk writes atomically. A hole after a power cut ends at a multiple of it.
    static let sectorBytes = 512
}
