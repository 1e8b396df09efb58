import Store

/// Reads the files that one manifest names.
struct EpochReader {
    let manifest: Manifest
    private let file: File
    private let isWritable: Bool
    private let header: FileHeader
    private var space: LayeredSpace
    private var replay: JournalReplay

    /// Opens the files, and verifies the bases that are small.
    init(_ manifest: Manifest, of files: StoreFiles, isWritable: Bool) throws(StoreError) {
        self.manifest = manifest
        let bases = try files.bases(of: manifest)
        for base in bases where base.entries.count <= Limits.verifiedBaseBytesMax { try base.verifyAll() }
        (file, self.isWritable) = try files.journal(of: manifest, isWritable: isWritable)
        header = FileHeader.journal(of: manifest)
        space = LayeredSpace(over: try Bases(files: bases))
        replay = JournalReplay(
            behind: header,
            file: file.name,
            durable: manifest.journalBytesSafe,
            personal: files.personal
        )
        let start = try file.contents(from: 0, upTo: Limits.headerBytesMax)
        try start.withUnsafeBytesTyped { bytes throws(StoreError) in try header.check(bytes, file: file.name) }
    }

    /// Reads the part of the journal that a line reports as durable. No process removes that part, so no lock is
    /// needed, and no process waits for the lock while a long journal is read.
    mutating func readSafePart() throws(StoreError) {
        let end = try file.status().bytes
        let start = max(replay.length, end - Limits.tailBytes - Limits.journalRoomBytes)
        let tail = try file.contents(from: start, upTo: end)
        let lines = tail.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        let durable = lines.count > 1 ? lines.last?.withUnsafeBytes { JournalLine.durable(of: $0) } : nil
        let safe = max(durable ?? 0, manifest.journalBytesSafe)
        guard safe > replay.length, safe <= end else { return }
        let bytes = try file.contents(from: replay.length, upTo: safe)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in
            try replay.read(bytes, isAll: false, into: &space)
        }
    }

    /// Reads the rest of the journal. The lock must be held, if there is one.
    ///
    /// - Returns: the torn end of the journal.
    mutating func readAll() throws(StoreError) -> [UInt8] {
        let start = replay.length
        let bytes = try file.contents(from: start, upTo: try file.status().bytes)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in try replay.read(bytes, into: &space) }
        return Array(JournalRoom.torn(bytes[(replay.length - start)...]))
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
