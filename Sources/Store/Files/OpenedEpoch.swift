internal import Threads

/// The files that one manifest names, opened and read.
struct OpenedEpoch {
    let journal: Journal
    let space: LayeredSpace

    /// Opens and reads them. The lock must be held, where there is one.
    ///
    /// - Parameter early: what was read of them before.
    /// - Returns: also the torn end of a write, with which the journal ends.
    static func read(
        _ manifest: Manifest,
        of files: StoreFiles,
        early: EpochReader?,
        marks: SyncMarks?,
        log: @escaping (String) -> Void
    ) throws(StoreError) -> (epoch: OpenedEpoch, torn: [UInt8]) {
        var reader: EpochReader
        if let early, early.manifest == manifest {
            reader = early
        } else {
            reader = try EpochReader(manifest, of: files, isWritable: marks != nil)
        }
        let torn = try reader.readAll()
        return (reader.opened(marks: marks, log: log), torn)
    }
}

/// Reads the files that one manifest names.
struct EpochReader {
    let manifest: Manifest
    private let file: File
    private let isWritable: Bool
    private let header: FileHeader
    private var space: LayeredSpace
    private var replay: JournalReplay

    /// Opens the files, and reads a base that is small.
    init(_ manifest: Manifest, of files: StoreFiles, isWritable: Bool) throws(StoreError) {
        self.manifest = manifest
        let base = try files.base(of: manifest)
        if let base, base.entries.count <= Limits.verifiedBaseBytesMax { try base.verifyAll() }
        (file, self.isWritable) = try files.journal(of: manifest, isWritable: isWritable)
        header = FileHeader.journal(of: manifest)
        space = LayeredSpace(over: try base.map { file throws(StoreError) in try Base(file) })
        replay = JournalReplay(behind: header, file: file.name, durable: manifest.journalBytesSafe)
        let start = try file.contents(from: 0, upTo: Limits.headerBytesMax)
        try start.withUnsafeBytesTyped { bytes throws(StoreError) in try header.check(bytes, file: file.name) }
    }

    /// Reads what a line tells to be on the disk, which nobody takes back: so no lock is needed, and nobody waits for one
    /// while a long journal is read.
    mutating func readSafePart() throws(StoreError) {
        let end = try file.status().bytes
        let tail = try file.contents(from: max(replay.length, end - Limits.tailBytes), upTo: end)
        let lines = tail.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        let told = lines.count > 1 ? lines.last?.withUnsafeBytes { JournalLine.durable(of: $0) } : nil
        let safe = max(told ?? 0, manifest.journalBytesSafe)
        guard safe > replay.length, safe <= end else { return }
        let bytes = try file.contents(from: replay.length, upTo: safe)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in
            try replay.read(bytes, isAll: false, into: &space)
        }
    }

    /// Reads what was not read yet. The lock must be held, where there is one.
    ///
    /// - Returns: the torn end of a write, with which the journal ends.
    mutating func readAll() throws(StoreError) -> [UInt8] {
        let start = replay.length
        let bytes = try file.contents(from: start, upTo: try file.status().bytes)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in try replay.read(bytes, into: &space) }
        return Array(bytes[(replay.length - start)...])
    }

    func opened(marks: SyncMarks?, log: @escaping (String) -> Void) -> OpenedEpoch {
        let journal = Journal(
            file,
            epoch: manifest.epoch,
            behind: replay,
            marks: isWritable ? marks : nil,
            log: log
        )
        return OpenedEpoch(journal: journal, space: space)
    }
}

/// Gets rid of what may take long to let go of: a hundred thousand entries, or a mapped file without a name.
enum Leftovers {
    /// Safe to send: nobody else has what is in it.
    private struct Box: @unchecked Sendable {
        let space: LayeredSpace
    }

    static func release(_ space: consuming LayeredSpace) {
        let box = Box(space: space)
        // Without a thread to be had it is let go of here.
        _ = Thread.start { withExtendedLifetime(box) {} }
    }
}
