internal import Platform
import Store

/// The files of the next epoch, which a compaction prepares: the new base, bases of what was written meanwhile if that
/// is much, and the new journal.
struct NextEpoch {
    private let source: CompactionSource
    private let files: StoreFiles
    /// The number of the epoch. Each new base but the last has the number of an epoch that is left out.
    private var number: Int
    private var segments: [Manifest.Segment]
    /// The state of the old journal, as far as it was carried over.
    private var older: JournalReplay
    /// The state that results from it. The erasable values are in memory, because no base has them.
    private var space: LayeredSpace

    init(after source: CompactionSource, _ files: StoreFiles) throws(StoreError) {
        self.source = source
        self.files = files
        number = source.manifest.epoch
        segments = Array(source.manifest.segments.dropFirst(source.basesMerged))
        older = source.replay
        space = LayeredSpace(over: Bases(Array(source.space.bases.all.dropFirst(source.basesMerged))))
        // A compaction that was interrupted may have left files.
        for name in try files.directory.names() where StoreFiles.epoch(of: name) ?? 0 > number {
            try files.directory.unlink(name)
        }
    }

    /// The number of transactions in the bases.
    private var transactions: Int {
        Self.transactionsInBase(of: older.number, isErasableEmpty: older.slots.keys.isEmpty)
    }

    /// Writes the new base.
    ///
    /// - Parameter goOn: called with the number of entries so far; false cancels the compaction.
    mutating func writeBase(_ goOn: (Int) -> Bool) throws(StoreError) {
        let merged = source.space.newest(bases: source.basesMerged)
        try writeBase(of: merged, Self.erasableValues(of: source.space, at: older.slots.keys), goOn)
    }

    /// Writes a base that hides entries of those in `space`.
    private mutating func writeBase(
        of newest: LayeredSpace,
        _ erasable: [StagedWrite],
        _ goOn: (Int) -> Bool
    ) throws(StoreError) {
        number += 1
        let file = try File(Manifest.baseName(of: number), in: files.directory, .new, calls: files.calls)
        let header = FileHeader.base(
            of: source.manifest.store,
            epoch: number,
            transactions: transactions,
            below: segments.first?.epoch
        )
        var writer = BaseWriter(file, header: header, epoch: number)
        let segment = try writer.write(newest, over: space.bases, without: older.slots.keys, goOn)
        guard let segment else { return }
        segments.insert(segment, at: 0)
        let base = try Base(try BaseFile(file, segment: segment, header: header))
        space = LayeredSpace(over: Bases([base] + space.bases.all))
        for write in erasable { space.set(write.value, at: write.key) }
    }

    /// Completes the new journal and makes the new manifest the current one.
    ///
    /// - Parameter goOn: called regularly; false cancels the compaction.
    /// - Returns: nil if it was cancelled, or if the manifest is no longer the one with which the compaction began.
    mutating func takeOver(goOn: () -> Bool) throws(StoreError) -> PreparedEpoch? {
        let lock = try DirectoryLock(in: files.directory, .creating, calls: files.calls)
        let old = try File(source.manifest.journal, in: files.directory, .writing, calls: files.calls)
        try writeLaterBases(old, lock, goOn: goOn)
        guard goOn() else { return nil }
        var journal = try NextJournal(ofEpoch: number, of: source.manifest.store, transactions: transactions, files)
        try journal.append([Self.erasableValues(of: space, at: older.slots.keys)], to: &space)
        try catchUp(&journal, old, lock, goOn: goOn)
        try lock.take(waitingMilliseconds: Limits.compactionLockWaitMilliseconds)
        defer { lock.release() }
        guard goOn(), let (current, _) = try files.manifest(), current == source.manifest else { return nil }
        return try install(&journal, behind: old)
    }

    /// Writes what was written during the compaction to a base of its own if the new journal would be due for
    /// compaction otherwise, and what was written meanwhile to another one. All processes read the new journal from its
    /// start, while requests wait.
    private mutating func writeLaterBases(_ old: File, _ lock: DirectoryLock, goOn: () -> Bool) throws(StoreError) {
        for _ in 0..<Limits.laterBasesMax where goOn() {
            let least = older.length + source.settings.compactedJournalBytesMin
            // The file also has room, so that its length alone does not tell.
            guard try old.status().bytes >= least else { return }
            let end = try endOfLines(in: old, lock)
            guard end >= least else { return }
            let bytes = try old.contents(from: older.length, upTo: end)
            try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in
                try older.read(bytes, isAll: false, into: &space)
            }
            let erasable = try Self.erasableValues(of: space, at: older.slots.keys)
            try writeBase(of: space.newest(bases: 0), erasable) { _ in goOn() }
        }
    }

    /// Carries over most of the transactions that were written during the compaction. The lock is held only for
    /// moments.
    private mutating func catchUp(
        _ journal: inout NextJournal,
        _ old: File,
        _ lock: DirectoryLock,
        goOn: () -> Bool
    ) throws(StoreError) {
        var before = -1
        // If the rest no longer shrinks, it is the torn end of a long write.
        while goOn(), older.length > before, try old.status().bytes - older.length > Limits.carriedBytes {
            before = older.length
            let end = try endOfLines(in: old, lock)
            try journal.append(transactions(of: old, upTo: end, isAll: false), to: &space)
        }
        // This sync keeps the sync under the lock short.
        try journal.file.sync()
    }

    /// The offset of the end of the last whole line, or an offset after which no whole line can start.
    ///
    /// Lines that are whole while the lock is held stay unchanged, except that values may be erased. The later line
    /// that replaces such a value is read afterwards. The room behind the lines must not be read without the lock,
    /// because other processes write to it.
    private func endOfLines(in old: File, _ lock: DirectoryLock) throws(StoreError) -> Int {
        try lock.take(waitingMilliseconds: Limits.compactionLockWaitMilliseconds)
        defer { lock.release() }
        let end = try old.status().bytes
        // The room behind the last line is never longer than this.
        let start = max(older.length, end - Limits.journalRoomBytes - 1)
        let rest = try old.contents(from: start, upTo: end)
        return start + (rest.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    }

    /// Carries over the last transactions of the old journal, and replaces the manifest. The lock must be held.
    private mutating func install(
        _ journal: inout NextJournal,
        behind old: File
    ) throws(StoreError) -> PreparedEpoch {
        try journal.append(try transactions(of: old, upTo: old.status().bytes, isAll: true), to: &space)
        try keepTornEnd(of: old)
        try journal.settle()
        try SyncMarks.makeDurable(in: files.directory, calls: files.calls)
        let manifest = Manifest(
            store: source.manifest.store,
            epoch: number,
            segments: segments,
            mergeDue: mergeDue,
            journalBytesSafe: journal.replay.length
        )
        try files.install(manifest)
        eraseValues(in: old)
        Self.remove(source.filesReplaced, in: files.directory)
        return PreparedEpoch(manifest: manifest, file: journal.file, space: space, replay: journal.replay)
    }

    /// When all bases are to be merged, in Unix time; nil if there are not several. A later base may hide personal data
    /// that were deleted during the compaction.
    private var mergeDue: Int? {
        guard segments.count > 1 else { return nil }
        let deletes = older.personalDeletions > source.replay.personalDeletions
        let seconds = deletes ? source.settings.erasureSeconds : source.settings.mergeSeconds
        return min(source.mergeDue ?? .max, files.calls.unixSeconds + seconds)
    }

    /// Removes the files of a failed compaction, unless the manifest was replaced. If the manifest was renamed but the
    /// sync after the rename failed, the files of both epochs stay.
    func removeFiles() {
        guard isManifestUnchanged else { return }
        for number in stride(from: source.manifest.epoch + 1, through: number, by: 1) {
            Self.remove([Manifest.baseName(of: number), Manifest.journalName(of: number)], in: files.directory)
        }
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
