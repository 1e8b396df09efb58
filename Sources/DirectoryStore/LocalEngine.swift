package import Platform
package import Store

/// The JSON-file engine: a key space in memory and, unless the store is `:memory:`, in files that several processes
/// share.
///
/// A group of transactions starts with the first one after `makeDurable()` or `discardStaged()`:
///
///     read     checks once per group, with two or three system calls, whether other processes have written
///     write    takes the directory lock once per group and reads unread transactions before its closure runs. Those
///              that it knows of before are read first, so that it holds the lock for less time
///     makeDurable    one write to the journal, unlock, one sync, which may be another process's; however many
///              transactions are staged
///
/// So no staged write depends on stale data.
package final class LocalEngine: Engine, EntrySource {
    let directory: StoreDirectory?
    private let log: (String) -> Void
    var space: LayeredSpace
    var staged: [StagedWrite] = []
    /// Where in `staged` each transaction ends.
    private var ends: [Int] = []
    /// The bytes that the current transaction has written.
    var transactionBytes = 0
    private var isInTransaction = false
    /// Whether the current transaction may write.
    var isWriting = false
    /// Whether this group of transactions has read what other processes wrote.
    private var isUpToDate = false
    private var transactionsInMemory = 0
    private var compactions: CompactionSchedule?

    /// A store in memory. It is lost when the process ends.
    package init() {
        directory = nil
        log = { _ in }
        space = LayeredSpace()
    }

    /// Opens the store in a directory. If there is none and `settings.makesStore` is true, creates it.
    ///
    /// A missing directory and its missing parents are created with mode 0700. A directory without write permission is
    /// opened read-only.
    ///
    /// - Parameters:
    ///   - directory: the directory's path.
    ///   - settings: how the directory is used.
    ///   - log: called with one line of text for each warning.
    /// - Throws: `StoreError.busy` if another process holds the lock for too long; `.damaged` if a file was changed by
    ///   another program; `.newerFormat`; `.untrustedFileSystem`; `.readOnly` if the store does not exist and cannot be
    ///   created; `.notAStore` if the directory has other files; `.diskFull`; `.systemCall`.
    package init(
        directory: SystemString,
        settings: StoreSettings = StoreSettings(),
        log: @escaping (String) -> Void
    ) throws(StoreError) {
        let (opened, space) = try StoreDirectory.open(directory, settings: settings, log: log)
        (self.directory, self.space, self.log) = (opened, space, log)
        compactions = CompactionSchedule(of: opened, settings: settings, log: log)
    }

    /// Opens the store in a directory whose path is UTF-8.
    package convenience init(
        directory: String,
        settings: StoreSettings = StoreSettings(),
        log: @escaping (String) -> Void
    ) throws(StoreError) {
        try self.init(directory: SystemString(directory), settings: settings, log: log)
    }

    package var kind: String { directory == nil ? "memory" : "directory" }

    package func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        if let directory, !isUpToDate {
            try directory.refresh(&space)
            isUpToDate = true
        }
        beginTransaction()
        defer { isInTransaction = false }
        return try body(self)
    }

    package func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value {
        if let directory {
            if !isUpToDate { try directory.refresh(&space) }
            isUpToDate = true
            // In a read-only directory, a transaction that writes nothing still runs.
            if directory.isWritable, !directory.isLocked {
                do throws(StoreError) {
                    try directory.beginWriting(&space)
                } catch {
                    guard error.isLockHeld else { throw error }
                    return try readInPlaceOfWrite(body, keeping: keeping, lockError: error)
                }
            }
        }
        beginTransaction()
        isWriting = true
        defer { (isInTransaction, isWriting) = (false, false) }
        do {
            return try stage { try body(self) }
        } catch {
            try stage { try keeping(error, self) }
            throw error
        }
    }

    /// Runs a write transaction as a read, because another process holds the lock. A request that is refused and a
    /// transaction that writes nothing need not wait for the lock.
    ///
    /// - Throws: `lockError` if the transaction writes.
    private func readInPlaceOfWrite<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void,
        lockError: StoreError
    ) throws -> Value {
        do {
            return try read { tx in
                do {
                    return try body(tx)
                } catch {
                    try keeping(error, tx)
                    throw error
                }
            }
        } catch StoreError.writeInRead {
            throw lockError
        }
    }

    /// Stages the writes of `body` as one transaction, or none of them if it throws.
    private func stage<Value>(_ body: () throws -> Value) throws -> Value {
        let start = staged.count
        transactionBytes = 0
        do {
            let value = try body()
            if staged.count > start { ends.append(staged.count) }
            return value
        } catch {
            undo(to: start)
            throw error
        }
    }

    private func beginTransaction() {
        precondition(!isInTransaction, "a transaction within a transaction")
        isInTransaction = true
        transactionBytes = 0
    }

    package func makeDurable() throws(StoreError) {
        defer { isUpToDate = false }
        guard let directory else {
            transactionsInMemory += ends.count
            return forgetStaged()
        }
        let hasWritten = !staged.isEmpty
        do throws(StoreError) {
            if hasWritten { try directory.append(staged, ends: ends) }
            directory.endWriting()
            if directory.journal.needsSync { try directory.journal.sync() }
        } catch {
            discardStaged()
            throw error
        }
        forgetStaged()
        guard hasWritten else { return }
        directory.erase()
        compactions?.startIfDue(space)
    }

    /// Compacts the journal into a new base, even a short journal, and waits until that has ended. Nothing may be
    /// staged.
    ///
    /// - Parameter progress: called regularly with the number of entries in the new base so far.
    /// - Returns: false if another process is compacting, and in memory.
    /// - Throws: `StoreError`. The store is unchanged then.
    package func compact(progress: (Int) -> Void = { _ in }) throws(StoreError) -> Bool {
        precondition(staged.isEmpty, "compaction includes only durable transactions")
        guard let directory, let compactions else { return false }
        compactions.cancel()
        // A line that is not durable can be dropped after a failed sync, and must not be in a base then.
        try refreshDurably()
        let outcome = try compactions.compactNow(space, progress: progress)
        try directory.refresh(&space)
        return outcome
    }

    /// Writes a copy of the store to a new directory, as an independent store. Other processes may write in the
    /// meantime. Nothing may be staged.
    ///
    /// - Parameter path: the path of the copy. It must be unused or an empty directory.
    /// - Throws: `StoreError.exists`, `.unnamed`, `.withinStore`, `.diskFull`, `.systemCall`, `.damaged`. Nothing is at
    ///   the path then, unless the error says that the store is there.
    package func backUp(to path: SystemString, progress: (ToolProgress) -> Void) throws(StoreError) {
        let writer = StoreWriter(path: path, calls: directory?.settings.calls ?? .real)
        try writer.checkPlace()
        try refreshDurably()
        try writer.write(
            space,
            erasable: directory?.journal.erasableKeys ?? [],
            transactions: directory?.journal.number ?? transactionsInMemory,
            progress: progress
        )
    }

    /// Visits the store's current state. Nothing may be staged.
    package func forEachEntry(_ visit: (StoreKey, StoredValue) throws -> Void) throws {
        try refreshDurably()
        try space.scan(from: StoreKey(bytes: []), upTo: .end, descending: false) { key, value in
            try visit(key, value)
            return true
        }
    }

    /// Reads the writes of other processes, and makes them durable.
    private func refreshDurably() throws(StoreError) {
        precondition(staged.isEmpty, "a staged write must not be copied or reported")
        guard let directory else { return }
        try directory.refresh(&space)
        if directory.journal.needsSync { try directory.journal.sync() }
    }

    package func discardStaged() {
        undo(to: 0)
        forgetStaged()
        isUpToDate = false
        directory?.endWriting()
    }

    package func maintain() -> Int? {
        guard let directory, let compactions, staged.isEmpty, directory.mergeDue != nil else { return nil }
        compactions.startIfDue(space)
        return Limits.maintenanceMilliseconds
    }

    package func catchUp() {
        compactions?.waitIfOverdue()
    }

    package func close() {
        discardStaged()
        _ = maintain()
        compactions?.close()
        directory?.close()
    }

    package func statistics() throws(StoreError) -> StoreStatistics {
        let counts = try EntryCounts(of: space)
        return StoreStatistics(
            kind: kind,
            directory: directory.map { "\($0.path)" },
            store: directory?.manifest.store,
            epoch: directory?.manifest.epoch,
            transactions: directory?.journal.number ?? transactionsInMemory,
            journalBytes: directory?.journal.length ?? 0,
            baseBytes: directory?.manifest.baseBytes ?? 0,
            durableBytes: directory?.journal.durable ?? 0,
            entries: counts.entries,
            collections: counts.collections
        )
    }

    private func undo(to start: Int) {
        while staged.count > start {
            let write = staged.removeLast()
            space.restore(write.previous, at: write.key)
        }
    }

    private func forgetStaged() {
        staged.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}
