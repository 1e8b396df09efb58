internal import Platform
import Store

/// The files of a store's directory: finding, creating and removing them.
///
///     manifest.json      identifies the store, and names its current bases and journal
///     base-2.jsonl       the store's entries at the start of the journal, sorted; or those that have changed since an
///                        older base, which is kept below it
///     journal-2.jsonl    a header, then one transaction per line
///     lock               the directory lock, which orders all writes
///     lock.sync          the sync marks, by which one process syncs for all
///     lock.merging       the compaction lock, which lets only one process compact at a time
///     .torn-2-812        the torn end of a write, moved out of journal 2 at byte 812
///
/// A directory is initialised in this order: create the lock; remove old sync marks; write the journal with its header
/// and sync it; write the manifest under a temporary name, sync it and rename it; sync the directory and its parent. So
/// the files that a manifest names always exist, and without a manifest there is at most a journal without
/// transactions. A crash during the initialisation leaves such a journal, and the next process starts again. A journal
/// with transactions but without a manifest has lost its manifest, and is refused.
struct StoreFiles {
    let directory: Directory
    let calls: any SystemCalls
    /// The collections whose records hold personal data.
    var personal: @Sendable () -> [AnyCollection] = { [] }

    // MARK: Opening

    /// The manifest and the stamp of its file; nil if there is none.
    func manifest() throws(StoreError) -> (Manifest, FileStamp)? {
        let file: File
        do throws(StoreError) {
            file = try File(Manifest.fileName, in: directory, .reading, calls: calls)
        } catch  where error.isMissingFile {
            return nil
        }
        let stamp = try file.stamp()
        return (try Manifest(parsing: try file.contents(from: 0, upTo: Limits.headerBytesMax)), stamp)
    }

    /// The journal's file, and whether it can be written.
    func journal(of manifest: Manifest, isWritable: Bool) throws(StoreError) -> (File, isWritable: Bool) {
        do throws(StoreError) {
            let file = try File(
                manifest.journal,
                in: directory,
                isWritable ? .writing : .reading,
                calls: calls
            )
            return (file, isWritable)
        } catch  where error.isMissingFile {
            throw .damaged(file: manifest.journal, offset: 0, reason: "missing, though \(Manifest.fileName) names it")
        } catch  where error.isRefusedWriting && isWritable {
            return (try File(manifest.journal, in: directory, .reading, calls: calls), false)
        }
    }

    /// The files of the bases, the newest first.
    func baseFiles(of manifest: Manifest) throws(StoreError) -> [File] {
        try manifest.segments.map { segment throws(StoreError) in
            do throws(StoreError) {
                return try File(segment.file, in: directory, .reading, calls: calls)
            } catch  where error.isMissingFile {
                throw .damaged(file: segment.file, offset: 0, reason: "missing, though \(Manifest.fileName) names it")
            }
        }
    }

    /// The files of the bases, mapped.
    ///
    /// - Parameter countsLines: whether damage is always reported with its line number.
    func bases(of manifest: Manifest, _ files: [File], countsLines: Bool = false) throws(StoreError) -> [BaseFile] {
        try files.indices.map { index throws(StoreError) in
            let header = FileHeader.base(index, of: manifest)
            let segment = manifest.segments[index]
            return try BaseFile(files[index], segment: segment, header: header, countsLines: countsLines)
        }
    }

    /// The same, and opens the files.
    func bases(of manifest: Manifest) throws(StoreError) -> [BaseFile] {
        try bases(of: manifest, try baseFiles(of: manifest))
    }

    // MARK: Making

    /// Creates the files of a new store. The lock must be held.
    func initialise() throws(StoreError) -> (Manifest, FileStamp) {
        try checkUnused()
        // The file may have the marks of a store whose other files were removed.
        try directory.unlinkIfPresent(SyncMarks.fileName)
        let store = calls.randomUUID()
        let header = FileHeader.journal(of: store, epoch: 1, transactions: 0)
        let manifest = Manifest(store: store, epoch: 1, segments: [], journalBytesSafe: header.bytes.count)
        // A directory with other files has another purpose too, and keeps its mode.
        if try directory.names().allSatisfy({ Self.leavesUnused($0) || $0 == manifest.journal }) {
            try directory.restrict()
        }
        do throws(StoreError) {
            try write(header.bytes, to: manifest.journal)
            try install(manifest)
        } catch {
            discardNew(manifest)
            throw error
        }
        try directory.syncParent()
        return (manifest, try stampOfManifest())
    }

    /// Removes the files of a store that could not be created.
    private func discardNew(_ manifest: Manifest) {
        do throws(StoreError) {
            // A manifest that was already renamed names the journal.
            guard try directory.stamp(of: Manifest.fileName) == nil else { return }
            for name in [Manifest.temporaryName, manifest.journal] { try directory.unlinkIfPresent(name) }
        } catch {
            // The next process that opens the store starts again with the remaining journal without transactions.
        }
    }

    /// Makes a manifest the current one. The files that it names must be durable.
    func install(_ manifest: Manifest) throws(StoreError) {
        try write(manifest.bytes, to: Manifest.temporaryName)
        // The names of the new files must be durable before the manifest that names them.
        try directory.sync()
        try directory.rename(Manifest.temporaryName, to: Manifest.fileName)
        try directory.sync()
    }

    /// The stamp of the manifest's file.
    func stampOfManifest() throws(StoreError) -> FileStamp {
        guard let stamp = try directory.stamp(of: Manifest.fileName) else {
            throw .damaged(file: Manifest.fileName, offset: 0, reason: "removed while it was in use")
        }
        return stamp
    }

    /// Throws if the directory has no manifest but has, or may have, transactions.
    private func checkUnused() throws(StoreError) {
        for name in try directory.names() where Self.epoch(of: name) != nil {
            let lost = StoreError.damaged(
                file: Manifest.fileName,
                offset: 0,
                reason: "missing, though there is \(name)"
            )
            guard name == Manifest.journalName(of: 1) else { throw lost }
            let file = try File(name, in: directory, .reading, calls: calls)
            let bytes = try file.contents(from: 0, upTo: Limits.headerBytesMax + 1)
            guard bytes.count <= Limits.headerBytesMax else { throw lost }
            // A whole header, or the part of one that a crash left.
            guard let end = bytes.firstIndex(of: 0x0A) else { continue }
            guard end == bytes.count - 1 else { throw lost }
            _ = try SealedLine(parsing: bytes, file: name)
        }
    }

    private func write(_ bytes: [UInt8], to name: String) throws(StoreError) {
        let file = try File(name, in: directory, .replacing, calls: calls)
        try file.write(bytes, at: 0)
        try file.sync()
    }

    // MARK: After a crash

    /// Removes the files of later epochs, which a compaction that was interrupted leaves. No manifest has named them.
    /// They may be what fills the disk, and removing them needs no room. The lock must be held.
    func removeLaterOrphans(beside manifest: Manifest) throws(StoreError) {
        let names = try directory.names()
        if names.contains(Manifest.temporaryName) { try directory.unlink(Manifest.temporaryName) }
        guard names.contains(where: { Self.epoch(of: $0) ?? 0 > manifest.epoch }) else { return }
        try withCompactionLock { () throws(StoreError) in
            try removeOrphans(beside: manifest) { $0 > manifest.epoch }
        }
    }

    /// Makes the manifest durable if there are files of earlier epochs, and removes them. A compaction that was
    /// interrupted, or that could not remove its files, leaves them. The lock must be held.
    ///
    /// They may belong to an earlier manifest while the name of the current one is not durable, because the process
    /// that renamed it was killed, or its sync failed. Nothing may depend on it before it is durable. The current
    /// manifest is also written and renamed again, because a second sync alone would not report a lost write; on a full
    /// disk, that has to wait.
    ///
    /// - Throws: `StoreError.diskFull` if the files cannot be removed for now.
    func removeEarlierOrphans(beside manifest: Manifest) throws(StoreError) {
        guard try !orphans(beside: manifest, ofEpochs: { $0 < manifest.epoch }).isEmpty else { return }
        try directory.sync()
        try install(manifest)
        try withCompactionLock { () throws(StoreError) in
            try removeOrphans(beside: manifest) { $0 < manifest.epoch }
        }
    }

    /// Runs `body` unless a compaction runs, whose files are not orphans.
    private func withCompactionLock(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let compactionLock = try CompactionLock(in: directory, calls: calls)
        guard try compactionLock.takeIfFree() else { return }
        defer { compactionLock.release() }
        try body()
    }

    private func removeOrphans(
        beside manifest: Manifest,
        ofEpochs areOrphans: (Int) -> Bool
    ) throws(StoreError) {
        // A compaction that was cancelled in the meantime may have removed its files.
        for name in try orphans(beside: manifest, ofEpochs: areOrphans) { try directory.unlinkIfPresent(name) }
    }

    /// The names of the journals and bases that the manifest does not name and whose epochs fulfil a condition.
    private func orphans(
        beside manifest: Manifest,
        ofEpochs condition: (Int) -> Bool
    ) throws(StoreError) -> [String] {
        let named = manifest.files
        return try directory.names().filter { name in
            !named.contains(name) && Self.epoch(of: name).map(condition) ?? false
        }
    }

    /// Whether a directory is still unused if it has a file with this name. Such files are those of a store except its
    /// manifest, journal and base, and the file of fsck(8) at the root of a file system.
    static func leavesUnused(_ name: String) -> Bool {
        [
            DirectoryLock.fileName, CompactionLock.fileName, SyncMarks.fileName, Manifest.temporaryName,
            "lost+found",
        ].contains(name) || name.hasPrefix(tornPrefix)
    }

    private static let tornPrefix = ".torn-"

    /// The epoch in the name of a journal or base; nil for other names.
    static func epoch(of name: String) -> Int? {
        for kind in ["journal-", "base-"] where name.hasPrefix(kind) && name.hasSuffix(".jsonl") {
            return Int(name.dropFirst(kind.count).dropLast(".jsonl".count))
        }
        return nil
    }

    /// Writes the torn end of a journal, which starts at `offset`, to a new file.
    ///
    /// - Returns: the name of the new file.
    func keepTorn(_ tail: [UInt8], at offset: Int, epoch: Int) throws(StoreError) -> String {
        let first = "\(Self.tornPrefix)\(epoch)-\(offset)"
        // Earlier torn ends from the same offset are kept. A power cut may have lost the name of any of them.
        let names = try directory.names()
        var (name, copy) = (first, 1)
        while names.contains(name) {
            copy += 1
            name = "\(first)-\(copy)"
        }
        let file = try File(name, in: directory, .new, calls: calls)
        do throws(StoreError) {
            try file.write(tail, at: 0)
            try file.sync()
        } catch {
            try directory.unlink(file.name)
            throw error
        }
        try directory.sync()
        return file.name
    }
}

extension StoreError {
    var isMissingFile: Bool {
        if case .systemCall(_, .noSuchFile, _) = self { true } else { false }
    }

    /// Whether another process holds the lock.
    var isLockHeld: Bool {
        switch self {
        case .busy, .locked: true
        default: false
        }
    }

    /// Whether the system refuses writes, for all users or for this user.
    var isRefusedWriting: Bool {
        switch self {
        case .readOnly, .denied: true
        default: false
        }
    }
}
