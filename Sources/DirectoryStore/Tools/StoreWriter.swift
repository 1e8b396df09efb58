import Platform
import Store

/// Writes a whole store into a new or empty directory.
struct StoreWriter {
    private let path: SystemString
    private let calls: any SystemCalls

    init(path: SystemString, calls: any SystemCalls) {
        (self.path, self.calls) = (path, calls)
    }

    /// Throws if the place is taken, before any work is done.
    func checkPlace() throws(StoreError) {
        try StorePlace(path, calls).check()
    }

    /// Writes the entries of a space.
    ///
    /// - Parameters:
    ///   - erasable: the keys of the erasable values, which are not written to the base.
    ///   - transactions: the number of transactions that made the entries.
    ///   - progress: called regularly with the number of entries written.
    /// - Throws: `StoreError.exists` if the path is taken and is not an empty directory; what `StoreDraft.publish`
    ///   throws.
    func write(
        _ space: LayeredSpace,
        erasable: Set<StoreKey>,
        transactions: Int,
        progress: (ToolProgress) -> Void
    ) throws(StoreError) {
        let draft = try StoreDraft(for: path, calls: calls)
        let store = draft.store
        let transactions = NextEpoch.transactionsInBase(of: transactions, isErasableEmpty: erasable.isEmpty)
        let base = FileHeader.base(of: store, epoch: 1, transactions: transactions)
        let file = try draft.newFile(Manifest.baseName(of: 1))
        var baseWriter = BaseWriter(file, header: base, epoch: 1)
        let segment = try baseWriter.write(space, without: erasable) { entries in
            progress(ToolProgress(phase: "writing", done: entries, total: nil))
            return true
        }
        let header = FileHeader.journal(of: store, epoch: 1, transactions: transactions)
        var writer = JournalLineWriter()
        writer.start(number: transactions, check: header.check)
        let writes = try NextEpoch.erasableValues(of: space, at: erasable)
        if !writes.isEmpty { writer.append(writes[...], durable: 0) }
        let journal = try draft.newFile(Manifest.journalName(of: 1))
        try journal.write(header.bytes + writer.bytes, at: 0)
        try journal.sync()
        let safe = header.bytes.count + writer.bytes.count
        let segments = [segment].compactMap { $0 }
        try draft.publish(Manifest(store: store, epoch: 1, segments: segments, journalBytesSafe: safe))
    }
}
