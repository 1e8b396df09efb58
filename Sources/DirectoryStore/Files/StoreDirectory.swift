internal import Platform
import Store

/// A directory with a store that this process has opened and read, kept up to date with the writes of other processes.
///
/// Two or three system calls show whether other processes have written. If they have not, reading takes no lock; if
/// they have, the unread transactions are read under the lock. A process that writes holds the lock from the start of
/// its first write transaction until the journal has its lines, and reads unread transactions first. So every process
/// sees every acknowledged commit, and a commit of another process is durable before a reply depends on it.
final class StoreDirectory {
    let path: SystemString
    let files: StoreFiles
    let settings: StoreSettings
    let log: (String) -> Void
    /// Nil if the directory cannot be written and the lock's file does not exist.
    private let lock: DirectoryLock?
    /// Nil if the directory cannot be written.
    private let marks: SyncMarks?
    private let manifestPath: SystemString
    private var manifestStamp: FileStamp
    private(set) var manifest: Manifest
    private(set) var journal: Journal
    /// Runs the compactions of this process. It has the state that belongs to a manifest that it has installed.
    weak var compactions: CompactionSchedule?
    /// Whether the journal was read from its start and not settled since.
    var isUnsettled = false

    init(
        files: StoreFiles,
        settings: StoreSettings,
        lock: DirectoryLock?,
        marks: SyncMarks?,
        manifest: Manifest,
        stamp: FileStamp,
        journal: Journal,
        log: @escaping (String) -> Void
    ) {
        path = files.directory.path
        manifestPath = path.appending(Manifest.fileName)
        (self.files, self.settings, self.lock, self.marks) = (files, settings, lock, marks)
        (self.manifest, manifestStamp, self.journal, self.log) = (manifest, stamp, journal, log)
    }

    /// The source of a compaction of `space`.
    ///
    /// - Parameter basesMerged: the number of bases that it merges, the newest first.
    /// - Throws: why no compaction can start; `StoreError.damaged`.
    func compactionSource(_ space: LayeredSpace, merging basesMerged: Int) throws(StoreError) -> CompactionSource {
        if let obstacle = journal.obstacleToCompaction { throw obstacle }
        return CompactionSource(
            directory: files.directory,
            manifest: manifest,
            settings: settings,
            space: try space.copy(),
            replay: journal.replay,
            basesMerged: basesMerged,
            mergeDue: basesMerged == manifest.segments.count ? nil : mergeDue
        )
    }

    /// When all bases are to be merged, in Unix time, so that the files no longer have what was deleted or replaced;
    /// nil if no time is set.
    var mergeDue: Int? {
        let erasure = journal.hasPersonalDeletions ? manifestStamp.changedSeconds + settings.erasureSeconds : nil
        return [manifest.mergeDue, erasure].compactMap(\.self).min()
    }

    /// Whether that time has come. If it is later than it can be, the clock was set back, and it is treated as past.
    var isMergeDue: Bool {
        guard let mergeDue else { return false }
        let left = mergeDue - settings.calls.unixSeconds
        return left <= 0 || left > max(settings.mergeSeconds, settings.erasureSeconds)
    }

    /// The bytes that the files of the next epoch may take, and the bytes that are free for this user.
    ///
    /// - Parameter basesMerged: the number of bases that the compaction merges.
    func roomToCompact(merging basesMerged: Int) throws(StoreError) -> (needed: Int, free: Int) {
        let merged = manifest.segments.prefix(basesMerged).reduce(0) { $0 + $1.bytes }
        // A value of the journal is in the new base or in the new journal, which also gets what is written meanwhile.
        return (merged + 2 * journal.length + Limits.journalRoomBytes, try files.directory.freeBytes())
    }

    // MARK: Refreshing

    /// Updates `space` with the writes of other processes.
    ///
    /// - Throws: `StoreError.damaged` if the directory or a file in it was changed by another program; `.busy`.
    func refresh(_ space: inout LayeredSpace) throws(StoreError) {
        guard try hasNews() else { return }
        // An epoch that a compaction of this process has started does not have to be read.
        let isSameEpoch = try currentStamp() == manifestStamp
        let isByAnother = !isSameEpoch && compactions?.isUnderWay != true
        let early = isByAnother ? Self.readEarly(files, isWritable: marks != nil) : nil
        do throws(StoreError) {
            try takeLock()
        } catch  where isSameEpoch && error.isLockHeld {
            // A process that hangs while it holds the lock must not block reads of what was written before.
            try journal.readWhole(into: &space)
            // If a compaction ended during the wait, the marks are those of the new epoch, so the last transactions of
            // the old epoch were not read. The caller retries.
            guard try currentStamp() == manifestStamp else { throw error }
            return
        }
        defer { lock?.release() }
        try catchUp(&space, early: early, toWrite: false)
    }

    private func takeLock() throws(StoreError) {
        try lock?.take(waitingMilliseconds: settings.lockWaitMilliseconds, blocks: settings.waitsInPlace)
    }

    /// Whether this process holds the lock.
    var isLocked: Bool { lock?.isHeld ?? false }

    /// Whether the directory can be written.
    var isWritable: Bool { lock != nil && journal.isWritable }

    /// Takes the lock and updates `space`. The directory must be writable.
    func beginWriting(_ space: inout LayeredSpace) throws(StoreError) {
        try takeLock()
        do throws(StoreError) {
            if try hasNews() || isUnsettled || journal.mustSettle { try catchUp(&space, early: nil, toWrite: true) }
        } catch {
            lock?.release()
            throw error
        }
    }

    /// Appends transactions to the journal. The lock must be held.
    ///
    /// - Throws: what `Journal.write` throws.
    func append(_ writes: [StagedWrite], ends: [Int]) throws(StoreError) {
        try journal.write(writes, ends: ends) { torn throws(StoreError) in try setAside(torn) }
    }

    /// Releases the lock if it is held.
    func endWriting() {
        lock?.release()
    }

    /// Overwrites the erasable values that durable transactions have replaced or removed.
    func erase() {
        guard journal.hasToErase, let lock else { return }
        do throws(StoreError) {
            try lock.take(waitingMilliseconds: settings.lockWaitMilliseconds)
        } catch {
            return log("a value could not be erased: \(error)")
        }
        journal.erase()
        lock.release()
    }

    /// Ends the use of the directory.
    func close() {
        lock?.release()
        tidyJournal()
        journal.close()
    }

    /// Truncates the journal to its last line, unless another process is writing to it.
    private func tidyJournal() {
        guard journal.hasRoom, let lock else { return }
        do throws(StoreError) {
            guard try lock.takeIfFree() else { return }
            defer { lock.release() }
            // A torn end that starts like room is left to the next process that writes.
            if try !hasNews(), try journal.tornTail(inNext: journal.fileBytes) == nil { journal.takeBackRoom() }
        } catch {
            // The next process that closes the store truncates it.
        }
    }

    /// Whether other processes have written, at the time of the call.
    private func hasNews() throws(StoreError) -> Bool {
        if try currentStamp() != manifestStamp { return true }
        return try journal.hasNews()
    }

    /// The stamp of the manifest, found by the path with which the directory was opened. So a directory that was moved
    /// or replaced is detected.
    private func currentStamp() throws(StoreError) -> FileStamp {
        do throws(SystemError) {
            return try settings.calls.status(at: manifestPath).stamp
        } catch .noSuchFile, .notDirectory {
            throw .damaged(file: Manifest.fileName, offset: 0, reason: "moved or removed while it was in use")
        } catch {
            throw .failed("stat \(Manifest.fileName)", error)
        }
    }

    /// Reads the writes of other processes. The lock must be held.
    ///
    /// - Parameter early: what was already read of an epoch that may have started.
    private func catchUp(_ space: inout LayeredSpace, early: EpochReader?, toWrite: Bool) throws(StoreError) {
        let stamp = try currentStamp()
        if stamp != manifestStamp { try follow(to: stamp, early, &space, inGroup: toWrite) }
        let torn = try journal.readNews(into: &space)
        do throws(StoreError) {
            if isUnsettled || journal.mustSettle, journal.isWritable {
                try journal.settle()
                try files.removeEarlierOrphans(beside: manifest)
            }
            try setAside(torn)
            isUnsettled = false
        } catch  where error == .diskFull && !toWrite {
            // Readers are not affected.
            if isUnsettled { journal.resetMarks() }
        }
    }

    /// Changes to the epoch that a compaction has started.
    ///
    /// - Parameter inGroup: whether requests that are not answered yet may have read the earlier epoch.
    /// - Throws: also if they have read lines that the compaction did not find, because the system has dropped them
    ///   after a failed sync.
    private func follow(
        to stamp: FileStamp,
        _ early: EpochReader?,
        _ space: inout LayeredSpace,
        inGroup: Bool
    ) throws(StoreError) {
        guard let (latest, latestStamp) = try files.manifest(), latestStamp == stamp, latest.store == manifest.store,
            latest.epoch > manifest.epoch || latest == manifest
        else {
            throw .damaged(
                file: Manifest.fileName,
                offset: 0,
                reason: "replaced by an earlier manifest, or by that of another store, while it was in use"
            )
        }
        let earlier = journal
        if latest != manifest {
            let epoch: OpenedEpoch
            if let prepared = compactions?.takePrepared(for: latest) {
                epoch = prepared.opened(marks: marks, log: log)
                isUnsettled = false
            } else {
                // The process that installed the manifest may have failed to sync the directory. Nothing may depend on
                // the manifest before it is durable.
                if journal.isWritable { try files.directory.sync() }
                epoch = try OpenedEpoch.read(latest, of: files, early: early, marks: marks, log: log).epoch
                isUnsettled = true
            }
            journal.close()
            (manifest, journal) = (latest, epoch.journal)
            var older = epoch.space
            older.keepBases(of: space)
            swap(&older, &space)
            Leftovers.release(consume older, settings.calls)
        }
        manifestStamp = stamp
        if inGroup, journal !== earlier, earlier.needsSync { try earlier.checkNotReplaced() }
    }

    /// Moves a torn tail from the journal to a new file. The new file is durable before the journal is truncated.
    func setAside(_ tail: [UInt8]) throws(StoreError) {
        guard !tail.isEmpty, journal.isWritable else { return }
        let name = try files.keepTorn(tail, at: journal.length, epoch: manifest.epoch)
        try journal.cutTornTail()
        log("\(manifest.journal) ended with an incomplete write: its \(tail.count) bytes were moved to \(name)")
    }
}
