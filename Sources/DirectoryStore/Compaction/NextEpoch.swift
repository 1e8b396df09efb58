import Store

/// The files of the next epoch, which a compaction prepares.
struct NextEpoch {
    private let source: CompactionSource
    private let files: StoreFiles
    private let number: Int
    private let header: FileHeader
    private let journalFile: File
    private var segments: [Manifest.Segment] = []
    /// The number of transactions in the bases.
    private let transactions: Int
    /// The state of the old journal, as far as it was carried over.
    private var older: JournalReplay
    /// The state of the new journal, and the space that results from it.
    private var newer: JournalReplay
    private var space = LayeredSpace()
    private var writer = JournalLineWriter()

    init(after source: CompactionSource, _ files: StoreFiles) throws(StoreError) {
        self.source = source
        self.files = files
        number = source.manifest.epoch + 1
        older = source.replay
        transactions = Self.transactionsInBase(of: older.number, isErasableEmpty: older.slots.keys.isEmpty)
        header = FileHeader.journal(of: source.manifest.store, epoch: number, transactions: transactions)
        let name = Manifest.journalName(of: number)
        // A compaction that was interrupted may have left files of this epoch.
        for name in try files.directory.names() where StoreFiles.epoch(of: name) == number {
            try files.directory.unlink(name)
        }
        journalFile = try File(name, in: files.directory, .new, calls: files.calls)
        newer = JournalReplay(behind: header, file: name, durable: 0, personal: files.personal)
    }

    /// Writes the new base.
    ///
    /// - Parameter goOn: called with the number of entries so far; false cancels the compaction.
    mutating func writeBase(_ goOn: (Int) -> Bool) throws(StoreError) {
        let file = try File(Manifest.baseName(of: number), in: files.directory, .new, calls: files.calls)
        let kept = source.manifest.segments.dropFirst(source.basesMerged)
        let keptBases = Array(source.space.bases.all.dropFirst(source.basesMerged))
        let header = FileHeader.base(
            of: source.manifest.store,
            epoch: number,
            transactions: transactions,
            below: kept.first?.epoch
        )
        let merged = source.space.newest(bases: source.basesMerged)
        var writer = BaseWriter(file, header: header, epoch: number)
        let segment = try writer.write(merged, over: Bases(keptBases), without: older.slots.keys, goOn)
        guard let segment else { return }
        segments = [segment] + kept
        let newest = try Base(try BaseFile(file, segment: segment, header: header))
        space = LayeredSpace(over: Bases([newest] + keptBases))
    }

    /// Completes the new journal and makes the new manifest the current one.
    ///
    /// - Parameter goOn: called regularly; false cancels the compaction.
    /// - Returns: nil if it was cancelled, or if the manifest is no longer the one with which the compaction began.
    mutating func takeOver(goOn: () -> Bool) throws(StoreError) -> PreparedEpoch? {
        try journalFile.write(header.bytes, at: 0)
        try carry([Self.erasableValues(of: source.space, at: older.slots.keys)])
        let lock = try DirectoryLock(in: files.directory, .creating, calls: files.calls)
        let old = try File(source.manifest.journal, in: files.directory, .writing, calls: files.calls)
        try catchUp(old, lock, goOn: goOn)
        try lock.take(waitingMilliseconds: Limits.compactionLockWaitMilliseconds)
        defer { lock.release() }
        guard goOn(), let (current, _) = try files.manifest(), current == source.manifest else { return nil }
        return try install(behind: old)
    }

    /// Carries over most of the transactions that were written during the compaction. The lock is held only for
    /// moments.
    private mutating func catchUp(_ old: File, _ lock: DirectoryLock, goOn: () -> Bool) throws(StoreError) {
        var before = -1
        // If the rest no longer shrinks, it is the torn end of a long write.
        while goOn(), older.length > before, try old.status().bytes - older.length > Limits.carriedBytes {
            before = older.length
            try lock.take(waitingMilliseconds: Limits.compactionLockWaitMilliseconds)
            let end = Result { () throws(StoreError) in try endOfLines(in: old) }
            lock.release()
            // Lines that were whole while the lock was held stay unchanged, except that values may be erased. The later
            // line that replaces such a value is read afterwards. The room behind the lines must not be read, because
            // other processes write to it.
            try carry(transactions(of: old, upTo: end.get(), isAll: false))
        }
        // This sync keeps the sync under the lock short.
        try journalFile.sync()
    }

    /// The offset of the end of the last whole line, or an offset after which no whole line can start. The lock must be
    /// held.
    private func endOfLines(in old: File) throws(StoreError) -> Int {
        let end = try old.status().bytes
        // The room behind the last line is never longer than this.
        let start = max(older.length, end - Limits.journalRoomBytes - 1)
        let rest = try old.contents(from: start, upTo: end)
        return start + (rest.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    }

    /// Carries over the last transactions of the old journal, and replaces the manifest. The lock must be held.
    private mutating func install(behind old: File) throws(StoreError) -> PreparedEpoch {
        try carry(try transactions(of: old, upTo: old.status().bytes, isAll: true))
        try keepTornEnd(of: old)
        for slot in newer.slots.takeSuperseded() { try slot.erase(in: journalFile) }
        try journalFile.sync()
        try SyncMarks.makeDurable(in: files.directory, calls: files.calls)
        let manifest = Manifest(
            store: source.manifest.store,
            epoch: number,
            segments: segments,
            mergeDue: source.mergeDue,
            journalBytesSafe: newer.length
        )
        try files.install(manifest)
        eraseValues(in: old)
        Self.remove(source.filesReplaced, in: files.directory)
        newer.markDurable()
        return PreparedEpoch(manifest: manifest, file: journalFile, space: space, replay: newer)
    }

    /// Removes the files of a failed compaction, unless the manifest was replaced. If the manifest was renamed but the
    /// sync after the rename failed, the files of both epochs stay.
    func removeFiles() {
        guard isManifestUnchanged else { return }
        Self.remove([Manifest.baseName(of: number), Manifest.journalName(of: number)], in: files.directory)
    }

    private var isManifestUnchanged: Bool {
        do throws(StoreError) {
            return try files.manifest()?.0 == source.manifest
        } catch {
            return false
        }
    }

    private static func remove(_ names: [String], in directory: Directory) {
        for name in names {
            do throws(StoreError) {
                try directory.unlink(name)
            } catch {
                // The next process that opens the store removes the remaining files.
            }
        }
    }

    // MARK: The journal

    /// The erasable values, which are never in a base, as the writes of one transaction.
    static func erasableValues(of space: LayeredSpace, at keys: Set<StoreKey>) throws(StoreError) -> [StagedWrite] {
        var writes: [StagedWrite] = []
        for key in keys.sorted() {
            guard let value = try space.value(of: key) else { continue }
            writes.append(StagedWrite(key: key, value: value, previous: nil, isErasable: true))
        }
        return writes
    }

    /// How many of `transactions` transactions the base counts as its own. If there are erasable values, it is one
    /// less: they become the first transaction of the new journal, which gets the number of the last transaction.
    static func transactionsInBase(of transactions: Int, isErasableEmpty: Bool) -> Int {
        max(0, transactions - (isErasableEmpty ? 0 : 1))
    }

    /// The writes of each transaction that is in the old journal and not in the new one.
    ///
    /// - Parameter isAll: whether `end` is the end of the file, and the lock is held.
    private mutating func transactions(
        of old: File,
        upTo end: Int,
        isAll: Bool
    ) throws(StoreError) -> [[StagedWrite]] {
        let bytes = try old.contents(from: older.length, upTo: end)
        var transactions: [[StagedWrite]] = []
        var ignored = LayeredSpace()
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in
            try older.read(bytes, isAll: isAll, into: &ignored) { transactions.append($0) }
        }
        return transactions
    }

    /// Appends transactions to the new journal.
    private mutating func carry(_ transactions: [[StagedWrite]]) throws(StoreError) {
        writer.start(number: newer.number, check: newer.check)
        for writes in transactions where !writes.isEmpty { writer.append(writes[...], durable: 0) }
        let bytes = writer.bytes
        try journalFile.write(bytes, at: newer.length)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in try newer.read(bytes, into: &space) }
    }

    private func keepTornEnd(of old: File) throws(StoreError) {
        let torn = JournalRoom.torn(try old.contents(from: older.length, upTo: try old.status().bytes)[...])
        guard !torn.isEmpty else { return }
        _ = try files.keepTorn(Array(torn), at: older.length, epoch: source.manifest.epoch)
    }

    /// Overwrites the erasable values of the old journal, which is removed next: the bytes of an unlinked file may stay
    /// readable on the disk for long.
    private mutating func eraseValues(in old: File) {
        do throws(StoreError) {
            for slot in older.slots.inUse + older.slots.takeSuperseded() { try slot.erase(in: old) }
            // A write to a file that is unlinked before the sync might never reach the disk.
            try old.sync()
        } catch {
            // The file is no longer used, and nothing can be done about the values that remain in it.
        }
    }
}
