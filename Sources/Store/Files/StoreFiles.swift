internal import Platform

/// The files of a store's directory: how they are found, made and removed.
///
///     manifest.json      which store this is, and which base and journal are current
///     base-2.jsonl       what the store held when the journal was begun, sorted
///     journal-2.jsonl    a header, then one transaction a line
///     lock               orders what processes write
///     lock.sync          lets one of them sync for all
///     lock.merging       keeps merging to one of them
///     .torn-2-812        the end of a write that was cut off, taken out of journal 2 at byte 812
///
/// A directory is first used in this order: lock; the journal with its header, synced; the manifest under another name,
/// synced, renamed; the directory and the one above it, synced. So a manifest always has its files, and without a
/// manifest there is at most a journal that holds no transaction: that is what a crash in between leaves, and is begun
/// again. A journal with transactions and no manifest has lost it, and is refused.
struct StoreFiles {
    let directory: Directory
    let calls: SystemCalls
    /// The collections whose records hold personal data.
    var personal: @Sendable () -> [AnyCollection] = { [] }

    // MARK: Opening

    /// The manifest and which file it is; nil where there is none.
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

    /// The journal's file, and whether it can be written to.
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

    /// The base's file; nil where the manifest names none.
    func baseFile(of manifest: Manifest) throws(StoreError) -> File? {
        guard manifest.segment != nil else { return nil }
        do throws(StoreError) {
            return try File(manifest.base, in: directory, .reading, calls: calls)
        } catch  where error.isMissingFile {
            throw .damaged(file: manifest.base, offset: 0, reason: "missing, though \(Manifest.fileName) names it")
        }
    }

    /// The base's file, mapped; nil where the manifest names none.
    ///
    /// - Parameter countsLines: whether damage in it is reported with the number of its line.
    func base(of manifest: Manifest, _ file: File?, countsLines: Bool = false) throws(StoreError) -> BaseFile? {
        guard let file, let segment = manifest.segment, let header = FileHeader.base(of: manifest) else { return nil }
        return try BaseFile(file, segment: segment, header: header, countsLines: countsLines)
    }

    /// The same, opened here.
    func base(of manifest: Manifest) throws(StoreError) -> BaseFile? {
        try base(of: manifest, try baseFile(of: manifest))
    }

    // MARK: Making

    /// Makes the files of a new store. The lock must be held.
    func initialise() throws(StoreError) -> (Manifest, FileStamp) {
        try checkUnused()
        let store = UUIDText.random()
        let header = FileHeader.journal(of: store, epoch: 1, transactions: 0)
        let manifest = Manifest(store: store, epoch: 1, segment: nil, journalBytesSafe: header.bytes.count)
        // A directory with other files in it has another use as well, and keeps its mode.
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

    /// Removes the files of a store that could not be made.
    private func discardNew(_ manifest: Manifest) {
        do throws(StoreError) {
            // A manifest that was renamed already names the journal.
            guard try directory.stamp(of: Manifest.fileName) == nil else { return }
            for name in [Manifest.temporaryName, manifest.journal] { try directory.unlinkIfPresent(name) }
        } catch {
            // The next opener begins again with what is left: a journal without transactions.
        }
    }

    /// Makes a manifest the current one, once the files that it names are on the disk.
    func install(_ manifest: Manifest) throws(StoreError) {
        try write(manifest.bytes, to: Manifest.temporaryName)
        // The names of the new files must be safe before a manifest is that tells of them.
        try directory.sync()
        try directory.rename(Manifest.temporaryName, to: Manifest.fileName)
        try directory.sync()
    }

    /// Which file the manifest is.
    func stampOfManifest() throws(StoreError) -> FileStamp {
        guard let stamp = try directory.stamp(of: Manifest.fileName) else {
            throw .damaged(file: Manifest.fileName, offset: 0, reason: "removed while it was in use")
        }
        return stamp
    }

    /// Refuses a directory that has no manifest but holds, or may hold, transactions.
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
            // A header, or what a crash left of one.
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

    // MARK: What a crash leaves behind

    /// Removes files that no manifest names: of a merge that was cut off, or that had no time to clean up. The lock must
    /// be held.
    func removeOrphans(beside manifest: Manifest) throws(StoreError) {
        if try directory.names().contains(Manifest.temporaryName) { try directory.unlink(Manifest.temporaryName) }
        guard try !orphans(beside: manifest).isEmpty else { return }
        // Those of a merge under way are no orphans.
        let merging = try DirectoryLock(
            DirectoryLock.mergingFileName,
            in: directory,
            readOnly: false,
            calls: calls
        )
        guard try merging.takeIfFree() else { return }
        defer { merging.release() }
        // They may be what the manifest named before one whose name is not safe yet, as the sync after its rename failed:
        // it is renamed once more, since a mere sync would not find that out.
        try install(manifest)
        // A merge that gave up has removed its own by now.
        for name in try orphans(beside: manifest) { try directory.unlink(name) }
    }

    private func orphans(beside manifest: Manifest) throws(StoreError) -> [String] {
        try directory.names().filter { name in Self.epoch(of: name).map { $0 != manifest.epoch } ?? false }
    }

    /// Whether a directory that holds a file of this name may still hold nothing: the file is one of the store's beside
    /// its manifest, journal and base, or fsck(8)'s at the root of a file system.
    static func leavesUnused(_ name: String) -> Bool {
        [
            DirectoryLock.fileName, DirectoryLock.mergingFileName, SyncMarks.fileName, Manifest.temporaryName,
            "lost+found",
        ].contains(name) || name.hasPrefix(tornPrefix)
    }

    private static let tornPrefix = ".torn-"

    /// The epoch of a file whose name is that of a journal or base.
    static func epoch(of name: String) -> Int? {
        for kind in ["journal-", "base-"] where name.hasPrefix(kind) && name.hasSuffix(".jsonl") {
            return Int(name.dropFirst(kind.count).dropLast(".jsonl".count))
        }
        return nil
    }

    /// Puts the torn end of a journal, which starts at `offset`, into a file of its own.
    ///
    /// - Returns: that file's name.
    func keepTorn(_ tail: [UInt8], at offset: Int, epoch: Int) throws(StoreError) -> String {
        let name = "\(Self.tornPrefix)\(epoch)-\(offset)"
        // An earlier tail that was torn at the same place is kept.
        let copies = try directory.names().filter { $0 == name || $0.hasPrefix(name + "-") }.count
        let file = try File(
            copies == 0 ? name : "\(name)-\(copies + 1)",
            in: directory,
            .new,
            calls: calls
        )
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

    /// Whether the system lets nobody write, or not this user.
    var isRefusedWriting: Bool {
        switch self {
        case .readOnly, .denied: true
        default: false
        }
    }
}
