import Store

/// The state that belongs to the manifest of a finished compaction. The process continues from it.
///
/// Safe to send: the compaction's thread keeps no reference to it.
struct PreparedEpoch: @unchecked Sendable {
    let manifest: Manifest
    let file: File
    let space: LayeredSpace
    let replay: JournalReplay

    func opened(marks: SyncMarks?, log: @escaping (String) -> Void) -> OpenedEpoch {
        let journal = Journal(file, epoch: manifest.epoch, behind: replay, marks: marks, log: log)
        return OpenedEpoch(journal: journal, space: space)
    }
}
