internal import Glibc
internal import Synchronization
internal import Threads

/// What a merge starts from: a state of the store that no longer changes.
///
/// Safe to send: a key space is a value, and the bytes of the values in it never change; what they were decoded to is
/// touched by nobody who merges.
struct MergeSource: @unchecked Sendable {
    let directory: Directory
    let manifest: Manifest
    let settings: StoreSettings
    let space: LayeredSpace
    /// Where the journal was read to.
    let replay: JournalReplay
}

/// Merges the journal of a directory into a new base, beside all who use the directory.
///
/// The new base takes in what the store held when the merge began; a new journal begins with the erasable values of that
/// time, which are never in a base, and then has all that was written since. The files are written and synced without
/// the lock. It is held only at the end, to carry over the last transactions, to rename the manifest, and to remove the
/// files that it no longer names: for as long as a few syncs take, and after those only.
///
/// Whatever goes wrong, the old manifest stands, and with it the old files; the new ones are removed, by the next opener
/// where need be.
final class Merge: Sendable {
    /// How a merge ended.
    enum Outcome: Sendable {
        case done(PreparedEpoch)
        /// Another process is merging, or has merged.
        case skipped
        case cancelled
        case failed(StoreError)
    }

    private struct State {
        var outcome: Outcome?
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Merges on a thread of its own.
    func start(_ source: MergeSource) {
        let isStarted = Thread.start { [self] in
            // On Linux a thread has a nice value of its own, and 0 names the calling thread.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            run(source)
        }
        // Without a thread to be had the journal grows on until there is one.
        if !isStarted { state.withLock { $0.outcome = .skipped } }
    }

    /// Merges, and waits for it.
    ///
    /// - Parameter progress: called now and then with how many entries the new base has so far.
    @discardableResult
    func run(_ source: MergeSource, progress: (Int) -> Void = { _ in }) -> Outcome {
        let outcome = outcome(of: source, progress: progress)
        state.withLock { $0.outcome = outcome }
        return outcome
    }

    private func outcome(of source: MergeSource, progress: (Int) -> Void) -> Outcome {
        do throws(StoreError) {
            let merging = try DirectoryLock(
                DirectoryLock.mergingFileName,
                in: source.directory,
                readOnly: false,
                calls: source.settings.calls
            )
            guard try merging.takeIfFree() else { return .skipped }
            defer { merging.release() }
            // Where another has merged since the source was read, the next epoch's files are the current ones. From here
            // on nobody else can.
            let files = StoreFiles(directory: source.directory, calls: source.settings.calls)
            guard try files.manifest()?.0 == source.manifest else { return .skipped }
            var epoch = try NextEpoch(after: source, files)
            do throws(StoreError) {
                try epoch.writeBase { entries in
                    progress(entries)
                    return !isCancelled
                }
                guard !isCancelled else {
                    epoch.removeFiles()
                    return .cancelled
                }
                return try epoch.takeOver().map { .done($0) } ?? .skipped
            } catch {
                epoch.removeFiles()
                throw error
            }
        } catch {
            return .failed(error)
        }
    }

    /// How it ended; nil while it goes on.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Gives the merge up, unless it is about to be done, and waits for its end.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        wait()
    }

    /// Waits for its end.
    func wait(milliseconds: Int = .max) {
        var waited = 0
        while outcome == nil, waited < milliseconds {
            usleep(1_000)
            waited += 1
        }
    }

    private var isCancelled: Bool { state.withLock { $0.isCancelled } }
}

/// The state behind the manifest of a finished merge, ready to go on from.
///
/// Safe to send: whoever merged has let go of it.
struct PreparedEpoch: @unchecked Sendable {
    let manifest: Manifest
    fileprivate let file: File
    fileprivate let space: LayeredSpace
    fileprivate let replay: JournalReplay

    func opened(marks: SyncMarks?, log: @escaping (String) -> Void) -> OpenedEpoch {
        let journal = Journal(file, epoch: manifest.epoch, behind: replay, marks: marks, log: log)
        return OpenedEpoch(journal: journal, space: space)
    }
}

/// The files of the epoch that a merge prepares.
private struct NextEpoch {
    private let source: MergeSource
    private let files: StoreFiles
    private let number: Int
    private let header: FileHeader
    private let journalFile: File
    private var segment: Manifest.Segment?
    /// Whether it was begun to make the new manifest the current one.
    private var mayBeInstalled = false
    /// How many transactions the base takes in. Where there are values that can be erased, the last of them has its place
    /// in the new journal, and they stand in its stead.
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
        transactions = older.number - (older.slots.keys.isEmpty ? 0 : 1)
        header = FileHeader.journal(of: source.manifest.store, epoch: number, transactions: transactions)
        let name = Self.journalName(number)
        // What a merge that was cut off may have left.
        for name in try files.directory.names() where StoreFiles.epoch(of: name) == number {
            try files.directory.unlink(name)
        }
        journalFile = try File(name, in: files.directory.descriptor, .new, calls: files.calls)
        newer = JournalReplay(behind: header, file: name, durable: 0)
    }

    private static func journalName(_ epoch: Int) -> String { "journal-\(epoch).jsonl" }
    private var baseName: String { "base-\(number).jsonl" }

    /// Writes the new base.
    ///
    /// - Parameter goOn: called with how many entries it has so far; false gives up.
    mutating func writeBase(_ goOn: (Int) -> Bool) throws(StoreError) {
        let file = try File(baseName, in: files.directory.descriptor, .new, calls: files.calls)
        let header = FileHeader.base(of: source.manifest.store, epoch: number, transactions: transactions)
        segment = try BaseWriter.write(source.space, without: older.slots.keys, to: file, header: header, goOn)
        guard let segment else { return }
        space = LayeredSpace(over: try Base(try BaseFile(file, segment: segment, header: header)))
    }

    /// Completes the new journal and makes the new manifest the current one.
    ///
    /// - Returns: nil where another process has merged meanwhile.
    mutating func takeOver() throws(StoreError) -> PreparedEpoch? {
        try journalFile.write(header.bytes, at: 0)
        try carry([erasableValues()])
        let lock = try DirectoryLock(
            DirectoryLock.fileName,
            in: files.directory,
            readOnly: false,
            calls: files.calls
        )
        let old = try File(
            source.manifest.journal,
            in: files.directory.descriptor,
            .writing,
            calls: files.calls
        )
        // What was written during the merge goes over without the lock but for the last of it.
        while try old.status().bytes - older.length > Limits.carriedBytes {
            try lock.take(waitingMilliseconds: Limits.mergeLockWaitMilliseconds)
            let bytes = Result { () throws(StoreError) in try rest(of: old) }
            lock.release()
            try carry(bytes.get())
        }
        try journalFile.sync()
        try lock.take(waitingMilliseconds: Limits.mergeLockWaitMilliseconds)
        defer { lock.release() }
        guard let (current, _) = try files.manifest(), current == source.manifest else { return nil }
        let last = try rest(of: old)
        try carry(last)
        try keepTornEnd(of: old)
        try journalFile.sync()
        let manifest = Manifest(
            store: current.store,
            epoch: number,
            segment: segment,
            journalBytesSafe: newer.length
        )
        mayBeInstalled = true
        try files.install(manifest)
        eraseValues(in: old)
        Self.remove([current.journal, current.base], in: files.directory)
        newer.markDurable()
        return PreparedEpoch(manifest: manifest, file: journalFile, space: space, replay: newer)
    }

    /// Removes the files of a merge that came to nothing. Where the manifest that names them was renamed and the sync
    /// after it failed, they stay, and so do the old ones: whoever follows that manifest syncs the directory first.
    func removeFiles() {
        guard !mayBeInstalled || isManifestTheOldOne else { return }
        Self.remove([baseName, Self.journalName(number)], in: files.directory)
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
    private func erasableValues() throws(StoreError) -> [StagedWrite] {
        var writes: [StagedWrite] = []
        for key in older.slots.keys.sorted() {
            guard let value = try source.space.value(of: key) else { continue }
            writes.append(StagedWrite(key: key, value: value, previous: nil, isErasable: true))
        }
        return writes
    }

    /// What each transaction wrote that the old journal has and the new one does not. The lock must be held.
    private mutating func rest(of old: File) throws(StoreError) -> [[StagedWrite]] {
        let bytes = try old.contents(from: older.length, upTo: try old.status().bytes)
        var transactions: [[StagedWrite]] = []
        var ignored = LayeredSpace()
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in
            try older.read(bytes, into: &ignored) { transactions.append($0) }
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
        let torn = try old.contents(from: older.length, upTo: try old.status().bytes)
        guard !torn.isEmpty else { return }
        _ = try files.keepTorn(torn, at: older.length, epoch: source.manifest.epoch)
    }

    /// Overwrites the erasable values of the old journal, which is about to go: what is unlinked may be read for long.
    private func eraseValues(in old: File) {
        for slot in older.slots.inUse {
            let inside = slot.place.dropFirst().dropLast()
            do throws(StoreError) {
                try old.write([UInt8](repeating: UInt8(ascii: " "), count: inside.count), at: inside.startIndex)
            } catch {
                // The file is out of use, and nothing can be done about what is left in it.
                return
            }
        }
    }
}
