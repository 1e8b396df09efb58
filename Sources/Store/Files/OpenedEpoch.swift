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
