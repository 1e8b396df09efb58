internal import Glibc

/// A directory that holds a store, locked and read.
///
///     manifest.json      which store this is, and which journal is current
///     journal-1.jsonl    a header, then one transaction a line
///     lock               locked for as long as a process has the directory open
///     .torn-1-812        the end of a write that was cut off, taken out of journal 1 at byte 812
///
/// A directory is first used in this order: lock; the journal with its header, synced; the manifest under another name,
/// synced, renamed; the directory and the one above it, synced. So a manifest always has its journal, and without a
/// manifest there is at most a journal that holds no transaction: that is what a crash in between leaves, and is begun
/// again. A journal with transactions and no manifest has lost it, and is refused.
final class StoreDirectory {
    let path: String
    let manifest: Manifest
    let journal: Journal
    /// Held until the directory is closed.
    private var lock: DirectoryLock?

    /// Opens a directory, making it where it is missing.
    ///
    /// A directory that cannot be written to is opened to be read.
    ///
    /// - Returns: also what the journal's transactions come to.
    /// - Throws: `StoreError`: `busy`, `damaged`, `newerFormat`, `diskFull`, `readOnly` where the store would have to be
    ///   made, `systemCall`.
    static func open(
        _ path: String,
        calls: SystemCalls,
        log: @escaping (String) -> Void
    ) throws(StoreError) -> (StoreDirectory, KeySpace) {
        let directory = try Directory(path)
        let (lock, hasWritableLock) = try takeLock(in: directory, calls: calls)
        let manifest = try readManifest(in: directory, isWritable: hasWritableLock, calls: calls)
        let header = JournalHeader(of: manifest)
        let (file, isWritable) = try openJournal(of: manifest, in: directory, isWritable: hasWritableLock, calls: calls)
        let contents = try file.contents(from: 0, upTo: try file.status().bytes)
        let replay = try contents.withUnsafeBytesTyped { bytes throws(StoreError) in
            try JournalReplay(bytes, file: file.name, header: header)
        }
        let journal = Journal(file, behind: replay, isReadOnly: !isWritable, log: log)
        let tail = Array(contents[replay.length...])
        if isWritable {
            if !tail.isEmpty {
                try setAside(tail, of: file, epoch: manifest.epoch, in: directory, calls: calls, log: log)
            }
            try journal.settle()
            // Whoever wrote the first transaction had synced the names of the files before.
            if replay.number == 0 {
                try directory.sync()
                try directory.syncParent()
            }
            lock?.tellHolder()
        } else if !tail.isEmpty {
            log("\(file.name) ends in a write that was cut off, at byte \(replay.length); it is left as it is")
        }
        return (StoreDirectory(path, manifest, journal, lock), replay.space)
    }

    private init(_ path: String, _ manifest: Manifest, _ journal: Journal, _ lock: DirectoryLock?) {
        (self.path, self.manifest, self.journal, self.lock) = (path, manifest, journal, lock)
    }

    /// Ends the use of the directory, so that another process may open it.
    func close() {
        journal.close()
        lock = nil
    }

    // MARK: Opening

    /// The lock, and whether the directory can be written to. A directory that cannot be, and has no lock file, needs
    /// no lock.
    private static func takeLock(
        in directory: Directory,
        calls: SystemCalls
    ) throws(StoreError) -> (DirectoryLock?, isWritable: Bool) {
        do throws(StoreError) {
            return (try DirectoryLock(in: directory, readOnly: false, calls: calls), true)
        } catch  where error.isRefusedWriting {
            do throws(StoreError) {
                return (try DirectoryLock(in: directory, readOnly: true, calls: calls), false)
            } catch  where error.isMissingFile {
                return (nil, false)
            }
        }
    }

    private static func readManifest(
        in directory: Directory,
        isWritable: Bool,
        calls: SystemCalls
    ) throws(StoreError) -> Manifest {
        let file: File
        do throws(StoreError) {
            file = try File(Manifest.fileName, in: directory.descriptor, .reading, calls: calls)
        } catch  where error.isMissingFile {
            try checkUnused(directory, calls: calls)
            guard isWritable else { throw .readOnly }
            return try initialise(directory, calls: calls)
        }
        let manifest = try Manifest(parsing: try file.contents(from: 0, upTo: Limits.headerBytesMax))
        if isWritable, try directory.names().contains(Manifest.temporaryName) {
            try directory.unlink(Manifest.temporaryName)
        }
        return manifest
    }

    /// The journal's file, and whether it can be written to.
    private static func openJournal(
        of manifest: Manifest,
        in directory: Directory,
        isWritable: Bool,
        calls: SystemCalls
    ) throws(StoreError) -> (File, isWritable: Bool) {
        let mode = isWritable ? File.Mode.writing : .reading
        do throws(StoreError) {
            return (try File(manifest.journal, in: directory.descriptor, mode, calls: calls), isWritable)
        } catch  where error.isMissingFile {
            throw .damaged(file: manifest.journal, offset: 0, reason: "missing, though \(Manifest.fileName) names it")
        } catch  where error.isRefusedWriting && isWritable {
            return (try File(manifest.journal, in: directory.descriptor, .reading, calls: calls), false)
        }
    }

    // MARK: The first use

    /// Refuses a directory that has no manifest but holds, or may hold, transactions.
    private static func checkUnused(_ directory: Directory, calls: SystemCalls) throws(StoreError) {
        for name in try directory.names() where name.hasPrefix("journal-") || name.hasPrefix("base-") {
            let lost = StoreError.damaged(
                file: Manifest.fileName,
                offset: 0,
                reason: "missing, though there is \(name)"
            )
            guard name == "journal-1.jsonl" else { throw lost }
            let file = try File(name, in: directory.descriptor, .reading, calls: calls)
            let bytes = try file.contents(from: 0, upTo: Limits.headerBytesMax + 1)
            guard bytes.count <= Limits.headerBytesMax else { throw lost }
            // A header, or what a crash left of one.
            guard let end = bytes.firstIndex(of: 0x0A) else { continue }
            guard end == bytes.count - 1 else { throw lost }
            _ = try SealedLine(parsing: bytes, file: name)
        }
    }

    private static func initialise(_ directory: Directory, calls: SystemCalls) throws(StoreError) -> Manifest {
        let manifest = Manifest(store: Manifest.randomStore(), epoch: 1)
        // A directory with other things in it is somebody's own, and keeps the mode that they gave it.
        let ours: Set = ["lock", manifest.journal, Manifest.temporaryName]
        if ours.isSuperset(of: try directory.names()) { try directory.restrict() }
        try write(JournalHeader(of: manifest).bytes, to: manifest.journal, in: directory, calls: calls)
        try write(manifest.bytes, to: Manifest.temporaryName, in: directory, calls: calls)
        try directory.rename(Manifest.temporaryName, to: Manifest.fileName)
        try directory.sync()
        try directory.syncParent()
        return manifest
    }

    private static func write(
        _ bytes: [UInt8],
        to name: String,
        in directory: Directory,
        calls: SystemCalls
    ) throws(StoreError) {
        let file = try File(name, in: directory.descriptor, .replacing, calls: calls)
        try file.write(bytes, at: 0)
        try file.sync()
    }

    // MARK: Torn tails

    /// Moves a torn tail out of the journal into a file of its own, which is safe before the journal is cut.
    private static func setAside(
        _ tail: [UInt8],
        of journal: File,
        epoch: Int,
        in directory: Directory,
        calls: SystemCalls,
        log: (String) -> Void
    ) throws(StoreError) {
        let offset = try journal.status().bytes - tail.count
        let name = ".torn-\(epoch)-\(offset)"
        let names = try directory.names()
        // An earlier tail that was torn at the same place is kept.
        let copies = names.filter { $0 == name || $0.hasPrefix(name + "-") }.count
        let file = try File(copies == 0 ? name : "\(name)-\(copies + 1)", in: directory.descriptor, .new, calls: calls)
        try file.write(tail, at: 0)
        try file.sync()
        try directory.sync()
        try journal.truncate(to: offset)
        try journal.sync()
        log("\(journal.name) ended in a write that was cut off: \(tail.count) bytes are kept in \(file.name)")
    }
}

extension StoreError {
    fileprivate var isMissingFile: Bool {
        if case .systemCall(_, ENOENT, _) = self { true } else { false }
    }

    fileprivate var isRefusedWriting: Bool {
        switch self {
        case .readOnly, .systemCall(_, EACCES, _), .systemCall(_, EPERM, _): true
        default: false
        }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` for a body whose error type is kept.
    fileprivate func withUnsafeBytesTyped<Value>(
        _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try withUnsafeBufferPointer { buffer -> Result<Value, StoreError> in
            do throws(StoreError) {
                return .success(try body(UnsafeRawBufferPointer(buffer)))
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
