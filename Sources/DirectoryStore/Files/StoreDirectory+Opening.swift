internal import Platform
import Store

/// Opening a directory.
extension StoreDirectory {
    /// Opens the store in a directory. If there is none and `settings.makesStore` is true, creates it.
    ///
    /// A directory without write permission is opened read-only.
    ///
    /// - Returns: the directory, and the contents of the store.
    /// - Throws: `StoreError.busy`, `.damaged`, `.newerFormat`, `.untrustedFileSystem`, `.diskFull`, `.systemCall`;
    ///   `.noStore`, `.notAStore`, `.withinStore`; `.readOnly` or `.denied` if the store does not exist and cannot be
    ///   created.
    static func open(
        _ path: SystemString,
        settings: StoreSettings,
        log: @escaping (String) -> Void
    ) throws(StoreError) -> (StoreDirectory, LayeredSpace) {
        let calls = settings.calls
        let directory =
            try settings.makesStore ? Directory.forStore(path, calls: calls) : .holdingStore(path, calls: calls)
        if !settings.trustsLocks { try FileSystemTrust.check(directory) }
        let files = StoreFiles(directory: directory, calls: settings.calls, personal: settings.personalCollections)
        let (lock, obstacle, early) = try takeLock(files, settings)
        defer { lock?.release() }
        let isWritable = obstacle == nil
        let found = try files.manifest()
        if found == nil, let obstacle { throw obstacle }
        let (manifest, stamp) = if let found { found } else { try initialise(files, lock) }
        if isWritable, let warning = try directory.warning() { log(warning) }
        let synced = try SyncMarks.synced(in: directory, epoch: manifest.epoch, calls: settings.calls)
        let marks = isWritable ? try openMarks(in: directory, calls: settings.calls) : nil
        let (epoch, torn) = try OpenedEpoch.read(manifest, of: files, early: early, marks: marks, log: log)
        guard epoch.journal.length >= synced else { throw .lostEnd(of: manifest, at: epoch.journal.length, synced) }
        let opened = StoreDirectory(
            files: files,
            settings: settings,
            lock: lock,
            marks: marks,
            manifest: manifest,
            stamp: stamp,
            journal: epoch.journal,
            log: log
        )
        try opened.mend(torn, isNew: found == nil)
        return (opened, epoch.space)
    }

    /// Cleans up after a crash, and makes durable what was read. The lock must be held.
    ///
    /// - Parameter torn: the torn end of the journal.
    private func mend(_ torn: [UInt8], isNew: Bool) throws(StoreError) {
        guard journal.isWritable else {
            if !torn.isEmpty { log("\(manifest.journal) ends with an incomplete write, at byte \(journal.length)") }
            return
        }
        do throws(StoreError) {
            // On a full disk, the torn end and files may have to stay, but replies may depend on the lines.
            try files.removeLaterOrphans(beside: manifest)
            try journal.settle()
            try files.removeEarlierOrphans(beside: manifest)
            try setAside(torn)
        } catch  where error == .diskFull {
            // The store can still be read. The sync marks may be from before a crash, so they are not valid.
            journal.resetMarks()
            isUnsettled = true
            log("\(manifest.journal) cannot be written to until the disk has free space")
        }
        // The process that wrote the first transaction had synced the names of the files before.
        if !isNew, journal.number == 0 {
            try files.directory.sync()
            try files.directory.syncParent()
        }
    }

    /// Creates the files of a new store. If that fails, a lock file that was created for it is removed.
    private static func initialise(
        _ files: StoreFiles,
        _ lock: DirectoryLock?
    ) throws(StoreError) -> (Manifest, FileStamp) {
        do throws(StoreError) {
            return try files.initialise()
        } catch {
            if lock?.isNew == true, try files.manifest() == nil {
                try files.directory.unlinkIfPresent(DirectoryLock.fileName)
            }
            throw error
        }
    }

    /// Opens the lock's file, reads most of a long journal, and takes the lock.
    ///
    /// - Returns: the lock, which is held; the reason why the directory cannot be written; and what was read.
    private static func takeLock(
        _ files: StoreFiles,
        _ settings: StoreSettings
    ) throws(StoreError) -> (DirectoryLock?, obstacle: StoreError?, EpochReader?) {
        // All lock files share one wait. Each of them counts as a millisecond at least, so the loop ends.
        var remaining = settings.lockWaitMilliseconds
        while true {
            let (lock, obstacle) = try openLock(in: files.directory, calls: files.calls)
            let early = readEarly(files, isWritable: obstacle == nil)
            let start = files.calls.monotonicMilliseconds
            do throws(StoreError) {
                try lock?.take(waitingMilliseconds: remaining)
                return (lock, obstacle, early)
            } catch .damaged(file: DirectoryLock.fileName, _, _) {
                // A holder that could not create the store has removed the file. This process creates another one.
                remaining -= max(1, files.calls.monotonicMilliseconds - start)
                guard remaining > 0 else { throw .lockRemoved(in: "\(files.directory.path)") }
            }
        }
    }

    /// The lock, and the reason why the directory cannot be written; nil if it can.
    private static func openLock(
        in directory: Directory,
        calls: any SystemCalls
    ) throws(StoreError) -> (DirectoryLock?, obstacle: StoreError?) {
        do throws(StoreError) {
            return (try DirectoryLock(in: directory, .creating, calls: calls), nil)
        } catch  where error.isRefusedWriting {
            let obstacle = error
            do throws(StoreError) {
                return (try DirectoryLock(in: directory, .reading, calls: calls), obstacle)
            } catch  where error.isMissingFile {
                return (nil, obstacle)
            }
        }
    }

    /// Reads most of a long journal before the lock is taken. The result is nil if the journal is short or if there is
    /// an error; reading under the lock will report the error.
    static func readEarly(_ files: StoreFiles, isWritable: Bool) -> EpochReader? {
        do throws(StoreError) {
            guard let (manifest, _) = try files.manifest(),
                try files.journal(of: manifest, isWritable: false).0.status().bytes >= Limits.longJournalBytes
            else { return nil }
            var reader = try EpochReader(manifest, of: files, isWritable: isWritable)
            try reader.readSafePart()
            return reader
        } catch {
            return nil
        }
    }

    private static func openMarks(in directory: Directory, calls: any SystemCalls) throws(StoreError) -> SyncMarks? {
        do throws(StoreError) {
            return try SyncMarks(in: directory, calls: calls)
        } catch  where error.isRefusedWriting {
            return nil
        }
    }
}
