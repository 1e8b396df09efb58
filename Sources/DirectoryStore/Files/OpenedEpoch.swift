import Store

/// The files that one manifest names, after they were opened and read.
struct OpenedEpoch {
    let journal: Journal
    let space: LayeredSpace

    /// Opens and reads the files. The lock must be held, if there is one.
    ///
    /// - Parameter early: what was already read of them.
    /// - Returns: the epoch, and the torn end of its journal.
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
