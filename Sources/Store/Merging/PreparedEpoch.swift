/// The state behind the manifest of a finished merge, ready to go on from.
///
/// Safe to send: whoever merged has let go of it.
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
