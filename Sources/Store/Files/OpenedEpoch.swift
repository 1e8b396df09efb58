internal import Threads

/// The files that one manifest names, opened and read.
struct OpenedEpoch {
    let journal: Journal
    let space: LayeredSpace

    /// Opens and reads them. The lock must be held, where there is one.
    ///
    /// - Returns: also the torn end of a write, with which the journal ends.
    static func read(
        _ manifest: Manifest,
        of files: StoreFiles,
        marks: SyncMarks?,
        log: @escaping (String) -> Void
    ) throws(StoreError) -> (epoch: OpenedEpoch, torn: [UInt8]) {
        let base = try files.base(of: manifest)
        if let base, base.entries.count <= Limits.verifiedBaseBytesMax { try base.verifyAll() }
        let (file, isWritable) = try files.journal(of: manifest, isWritable: marks != nil)
        let header = FileHeader.journal(of: manifest)
        var space = LayeredSpace(over: try base.map { file throws(StoreError) in try Base(file) })
        var replay = JournalReplay(behind: header, file: file.name, durable: manifest.journalBytesSafe)
        let contents = try file.contents(from: 0, upTo: try file.status().bytes)
        try contents.withUnsafeBytesTyped { bytes throws(StoreError) in
            try header.check(bytes, file: file.name)
            try replay.read(UnsafeRawBufferPointer(rebasing: bytes[header.bytes.count...]), into: &space)
        }
        let journal = Journal(
            file,
            epoch: manifest.epoch,
            behind: replay,
            marks: isWritable ? marks : nil,
            log: log
        )
        return (OpenedEpoch(journal: journal, space: space), Array(contents[replay.length...]))
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
