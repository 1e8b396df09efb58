/// The files of the epoch that a merge prepares.
struct NextEpoch {
    private let source: MergeSource
    private let files: StoreFiles
    private let number: Int
    private let header: FileHeader
    private let journalFile: File
    private var segment: Manifest.Segment?
    /// How many transactions the base takes in.
    private let transactions: Int
    /// The old journal, as far as it was carried over.
    private var older: JournalReplay
    /// The new one, and what the store holds by it.
    private var newer: JournalReplay
    private var space = LayeredSpace()
    private var writer = JournalLineWriter()

    init(after source: MergeSource, _ files: StoreFiles) throws(StoreError) {
        self.source = source
        self.files = files
        number = source.manifest.epoch + 1
        older = source.replay
        transactions = Self.transactionsInBase(of: older.number, isErasableEmpty: older.slots.keys.isEmpty)
        header = FileHeader.journal(of: source.manifest.store, epoch: number, transactions: transactions)
        let name = Manifest.journalName(of: number)
        // What a merge that was cut off may have left.
        for name in try files.directory.names() where StoreFiles.epoch(of: name) == number {
            try files.directory.unlink(name)
        }
        journalFile = try File(name, in: files.directory, .new, calls: files.calls)
        newer = JournalReplay(behind: header, file: name, durable: 0, personal: files.personal)
    }

    /// Writes the new base.
    ///
    /// - Parameter goOn: called with how many entries it has so far; false gives up.
    mutating func writeBase(_ goOn: (Int) -> Bool) throws(StoreError) {
        let file = try File(Manifest.baseName(of: number), in: files.directory, .new, calls: files.calls)
        let header = FileHeader.base(of: source.manifest.store, epoch: number, transactions: transactions)
        segment = try BaseWriter.write(source.space, without: older.slots.keys, to: file, header: header, goOn)
        guard let segment else { return }
        space = LayeredSpace(over: try Base(try BaseFile(file, segment: segment, header: header)))
    }

    /// Completes the new journal and makes the new manifest the current one.
    ///
    /// - Parameter goOn: asked now and then; false gives up.
    /// - Returns: nil where it was given up, or where the manifest is no longer the one that the merge began with.
    mutating func takeOver(goOn: () -> Bool) throws(StoreError) -> PreparedEpoch? {
        try journalFile.write(header.bytes, at: 0)
        try carry([Self.erasableValues(of: source.space, at: older.slots.keys)])
        let lock = try DirectoryLock(
            DirectoryLock.fileName,
            in: files.directory,
            readOnly: false,
            calls: files.calls
        )
        let old = try File(source.manifest.journal, in: files.directory, .writing, calls: files.calls)
        try catchUp(old, lock, goOn: goOn)
        try lock.take(waitingMilliseconds: Limits.mergeLockWaitMilliseconds)
        defer { lock.release() }
        guard goOn(), let (current, _) = try files.manifest(), current == source.manifest else { return nil }
        return try install(behind: old)
    }

    /// Carries over what was written during the merge, but for the last of it, holding the lock for moments.
    private mutating func catchUp(_ old: File, _ lock: DirectoryLock, goOn: () -> Bool) throws(StoreError) {
        var before = -1
        // What no longer grows less is the torn end of a long write.
        while goOn(), older.length > before, try old.status().bytes - older.length > Limits.carriedBytes {
            before = older.length
            try lock.take(waitingMilliseconds: Limits.mergeLockWaitMilliseconds)
            let end = Result { () throws(StoreError) in try endOfLines(in: old) }
            lock.release()
            // Lines that were whole while the lock was held stay as they are, but for values that are erased; that a later
            // line has made those superfluous will be seen when it is read. The room behind them is being written to.
            try carry(transactions(of: old, upTo: end.get(), isAll: false))
        }
        // So that there is little to sync while the lock is held.
        try journalFile.sync()
    }

    /// Where the last whole line ends, or where no line can start that is whole. The lock must be held.
    private func endOfLines(in old: File) throws(StoreError) -> Int {
        let end = try old.status().bytes
        // No more than so much room follows it.
        let start = max(older.length, end - Limits.journalRoomBytes - 1)
        let rest = try old.contents(from: start, upTo: end)
        return start + (rest.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    }

    /// Carries over the last of the old journal, and replaces the manifest. The lock must be held.
    private mutating func install(behind old: File) throws(StoreError) -> PreparedEpoch {
        try carry(try transactions(of: old, upTo: old.status().bytes, isAll: true))
        try keepTornEnd(of: old)
        for slot in newer.slots.takeSuperseded() { try slot.erase(in: journalFile) }
        try journalFile.sync()
        let manifest = Manifest(
            store: source.manifest.store,
            epoch: number,
            segment: segment,
            journalBytesSafe: newer.length
        )
        try files.install(manifest)
        eraseValues(in: old)
        Self.remove([source.manifest.journal, source.manifest.base], in: files.directory)
        newer.markDurable()
        return PreparedEpoch(manifest: manifest, file: journalFile, space: space, replay: newer)
    }

    /// Removes the files of a merge that came to nothing, unless the manifest is another by now: where it was renamed and
    /// the sync after that failed, they stay, and so do the old ones.
    func removeFiles() {
        guard isManifestTheOldOne else { return }
        Self.remove([Manifest.baseName(of: number), Manifest.journalName(of: number)], in: files.directory)
    }

    private var isManifestTheOldOne: Bool {
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
                // The next opener removes what is left.
            }
        }
    }

    // MARK: The journal

    /// The values that are never in a base, as the writes of one transaction.
    static func erasableValues(of space: LayeredSpace, at keys: Set<StoreKey>) throws(StoreError) -> [StagedWrite] {
        var writes: [StagedWrite] = []
        for key in keys.sorted() {
            guard let value = try space.value(of: key) else { continue }
            writes.append(StagedWrite(key: key, value: value, previous: nil, isErasable: true))
        }
        return writes
    }

    /// How many of so many transactions a base takes in. Where there are values that can be erased, the last one has its
    /// place in the journal, and they stand in its stead.
    static func transactionsInBase(of transactions: Int, isErasableEmpty: Bool) -> Int {
        max(0, transactions - (isErasableEmpty ? 0 : 1))
    }

    /// What each transaction wrote that the old journal has and the new one does not.
    ///
    /// - Parameter isAll: whether it is all of it, and the lock is held.
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

    /// Adds transactions to the new journal.
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

    /// Overwrites the erasable values of the old journal, which is about to go: what is unlinked may be read for long.
    private mutating func eraseValues(in old: File) {
        do throws(StoreError) {
            for slot in older.slots.inUse + older.slots.takeSuperseded() { try slot.erase(in: old) }
            // What is unlinked before it was synced is never written.
            try old.sync()
        } catch {
            // The file is out of use, and nothing can be done about what is left in it.
        }
    }
}
