import Platform
import Store

/// Writes sorted entries as the files of a new store.
final class ImportOutput: ImportDestination {
    private let draft: StoreDraft
    private var store: String { draft.store }
    private var base: BaseWriter
    private let journal: File
    private let journalHeader: FileHeader
    private var lines = JournalLineWriter()
    private var journalBytes: Int
    /// Erasable values that are not in the journal yet. They are never in a base.
    private var erasable: [StagedWrite] = []
    private var erasableBytes = 0

    init(_ draft: StoreDraft) throws(StoreError) {
        self.draft = draft
        let file = try draft.newFile(Manifest.baseName(of: 1))
        base = BaseWriter(file, header: .base(of: draft.store, epoch: 1, transactions: 0), epoch: 1)
        journalHeader = .journal(of: draft.store, epoch: 1, transactions: 0)
        journal = try draft.newFile(Manifest.journalName(of: 1))
        try journal.write(journalHeader.bytes, at: 0)
        journalBytes = journalHeader.bytes.count
        lines.start(number: 0, check: journalHeader.check)
    }

    func append(_ key: [UInt8], _ value: [UInt8], isErasable: Bool) throws(StoreError) {
        let key = StoreKey(bytes: key)
        guard isErasable else { return try base.append(key, value) }
        erasable.append(StagedWrite(key: key, value: StoredValue(bytes: value), previous: nil, isErasable: true))
        erasableBytes += key.bytes.count + value.count
        if erasableBytes >= Limits.baseBufferBytes { try flushErasable() }
    }

    /// Writes the remaining data, syncs both files and moves the store to its path.
    func finish() throws(StoreError) {
        let segment = try base.finish()
        try flushErasable()
        try journal.sync()
        try draft.publish(Manifest(store: store, epoch: 1, segments: [segment], journalBytesSafe: journalBytes))
    }

    func discard() { draft.discard() }

    private func flushErasable() throws(StoreError) {
        guard !erasable.isEmpty else { return }
        lines.append(erasable[...], durable: 0)
        try journal.write(lines.bytes, at: journalBytes)
        journalBytes += lines.bytes.count
        lines.start(number: lines.number, check: lines.check)
        erasable.removeAll(keepingCapacity: true)
        erasableBytes = 0
    }
}
