internal import Platform

/// A directory that holds a store, opened and read, and kept in step with what other processes write there.
///
/// Reading takes no lock: two system calls tell whether other processes have written. A process that writes holds the lock
/// from the start of its first write transaction until the journal has its lines, and reads unread transactions first. So
/// every process sees every acknowledged commit, and a commit of another process is durable before a reply depends on it.
final class StoreDirectory {
    let path: SystemString
    let files: StoreFiles
    let settings: StoreSettings
    let log: (String) -> Void
    /// Nil where the directory cannot be written to and nobody has made the lock's file.
    private let lock: DirectoryLock?
    /// Nil where the directory cannot be written to.
    private let marks: SyncMarks?
    private let manifestPath: SystemString
    private var manifestStamp: FileStamp
    private(set) var manifest: Manifest
    private(set) var journal: Journal
    /// What merges here, and has the state behind a manifest that it has installed.
    weak var merging: Merging?
    /// Whether the journal has not been settled since it was read from its start.
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

    /// What a merge of what `space` holds starts from; nil where nothing can be written.
    func mergeSource(_ space: LayeredSpace) throws(StoreError) -> MergeSource? {
        guard let replay = journal.writableReplay else { return nil }
        return MergeSource(
            directory: files.directory,
            manifest: manifest,
            settings: settings,
            space: try space.copy(),
            replay: replay
        )
    }

    /// How many seconds ago the current epoch began. The clock may have been set since: an epoch that seems to be of the
    /// future is an old one.
    var epochSeconds: Int {
        let age = SystemClock.seconds - manifestStamp.changedSeconds
        return age >= 0 ? age : .max
    }

    /// The bytes that the next epoch's files may take, and those that the file system has left for this user.
    func roomToMerge() throws(StoreError) -> (needed: Int, free: Int) {
        let needed = (manifest.segment?.bytes ?? 0) + journal.length + Limits.journalRoomBytes
        return (needed, try files.directory.freeBytes())
    }

    // MARK: Staying in step

    /// Brings `space` up to date with what others have written.
    ///
    /// - Throws: `StoreError.damaged` where the directory or a file in it is not what it was; `.busy`.
    func refresh(_ space: inout LayeredSpace) throws(StoreError) {
        guard try hasNews() else { return }
        // What a merge of this process has begun is read already.
        let isSameEpoch = try currentStamp() == manifestStamp
        let isByAnother = !isSameEpoch && merging?.isUnderWay != true
        let early = isByAnother ? Self.readEarly(files, isWritable: marks != nil) : nil
        do throws(StoreError) {
            try takeLock()
        } catch  where isSameEpoch && error.isLockHeld {
            // A holder that stands still keeps nobody from reading what was written before it.
            try journal.readWhole(into: &space)
            // If a merge ended during the wait, the marks are those of the new epoch, and news of the old one was not
            // read. The caller tries again.
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

    /// Whether the directory can be written to.
    var isWritable: Bool { lock != nil && journal.isWritable }

    /// Takes the lock, and brings `space` up to date. The directory must be writable.
    func beginWriting(_ space: inout LayeredSpace) throws(StoreError) {
        try takeLock()
        do throws(StoreError) {
            if try hasNews() || isUnsettled { try catchUp(&space, early: nil, toWrite: true) }
        } catch {
            lock?.release()
            throw error
        }
    }

    /// Lets go of the lock, where it is held.
    func endWriting() {
        lock?.release()
    }

    /// Overwrites the values that durable transactions have made superfluous.
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

    /// Lets the journal end with its last line, unless others are just writing to it.
    private func tidyJournal() {
        guard journal.hasRoom, let lock else { return }
        do throws(StoreError) {
            guard try lock.takeIfFree() else { return }
            defer { lock.release() }
            if try !hasNews() { journal.takeBackRoom() }
        } catch {
            // Whoever closes it next does.
        }
    }

    /// Whether a look at the files shows something new. It is right for what was there when it was called.
    private func hasNews() throws(StoreError) -> Bool {
        if try currentStamp() != manifestStamp { return true }
        return try journal.hasNews()
    }

    /// Which file has the manifest's name, by the path that the directory was opened by: so that a directory that was
    /// moved away, or exchanged for another, is noticed.
    private func currentStamp() throws(StoreError) -> FileStamp {
        do throws(SystemError) {
            return try FileStatus(at: manifestPath).stamp
        } catch .noSuchFile, .notDirectory {
            throw .damaged(file: Manifest.fileName, offset: 0, reason: "moved or removed while it was in use")
        } catch {
            throw .failed("stat \(Manifest.fileName)", error)
        }
    }

    /// Reads what is new, while the lock is held.
    ///
    /// - Parameter early: what was read before of an epoch that may have begun.
    private func catchUp(_ space: inout LayeredSpace, early: EpochReader?, toWrite: Bool) throws(StoreError) {
        let stamp = try currentStamp()
        if stamp != manifestStamp { try follow(to: stamp, early, &space) }
        let torn = try journal.readNews(into: &space)
        do throws(StoreError) {
            try setAside(torn)
            if isUnsettled, journal.isWritable { try journal.settle() }
            isUnsettled = false
        } catch  where error == .diskFull && !toWrite {
            // It harms nobody who reads.
        }
    }

    /// Goes over to the epoch that a merge has begun.
    private func follow(
        to stamp: FileStamp,
        _ early: EpochReader?,
        _ space: inout LayeredSpace
    ) throws(StoreError) {
        guard let (latest, latestStamp) = try files.manifest(), latestStamp == stamp, latest.store == manifest.store,
            latest.epoch > manifest.epoch || latest == manifest
        else {
            throw .damaged(
                file: Manifest.fileName,
                offset: 0,
                reason: "replaced by that of another store, or of an earlier state, while it was in use"
            )
        }
        if latest != manifest {
            let epoch: OpenedEpoch
            if let prepared = merging?.takePrepared(for: latest) {
                epoch = prepared.opened(marks: marks, log: log)
                isUnsettled = false
            } else {
                // Whoever installed the manifest may not have been able to: nothing may rest on it before it is safe.
                if journal.isWritable { try files.directory.sync() }
                epoch = try OpenedEpoch.read(latest, of: files, early: early, marks: marks, log: log).epoch
                isUnsettled = true
            }
            journal.close()
            (manifest, journal) = (latest, epoch.journal)
            var older = epoch.space
            swap(&older, &space)
            Leftovers.release(consume older)
        }
        manifestStamp = stamp
    }

    /// Moves a torn tail out of the journal into a file of its own, which is safe before the journal is cut.
    func setAside(_ tail: [UInt8]) throws(StoreError) {
        guard !tail.isEmpty, journal.isWritable else { return }
        let name = try files.keepTorn(tail, at: journal.length, epoch: manifest.epoch)
        try journal.cutTornTail()
        log("\(manifest.journal) ended in a write that was cut off: \(tail.count) bytes are kept in \(name)")
    }
}
