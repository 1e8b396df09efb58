internal import Glibc

/// Writes a whole store into a directory that holds none.
///
/// It is made beside its place, under another name, and moved there once all of it is on the disk: so there is all of it
/// or nothing.
struct StoreWriter {
    private let path: String
    private let calls: SystemCalls

    init(path: String, calls: SystemCalls) {
        // `TO/` means `TO`, beside which the store is made.
        let end = path.utf8.lastIndex { $0 != UInt8(ascii: "/") }
        self.path = end.map { String(path[...$0]) } ?? path
        self.calls = calls
    }

    /// Writes what a space holds.
    ///
    /// - Parameters:
    ///   - erasable: the keys of values that can be erased, which do not go into the base.
    ///   - transactions: how many transactions it took to make them.
    ///   - progress: told now and then how many entries were written.
    /// - Throws: `StoreError.exists` where there is something at the path other than an empty directory.
    func write(
        _ space: LayeredSpace,
        erasable: Set<StoreKey>,
        transactions: Int,
        progress: (Progress) -> Void
    ) throws(StoreError) {
        try checkPlace()
        let temporary = path + ".unfinished-\(getpid())"
        do throws(StoreError) {
            let directory = try Directory(temporary, calls: calls)
            try directory.restrict()
            try fill(directory, with: space, erasable: erasable, transactions: transactions, progress)
            guard rename(temporary, path) == 0 else { throw .failed("rename \(temporary)") }
            try directory.syncParent()
        } catch {
            Self.remove(temporary)
            throw error
        }
    }

    /// Refuses a place that is taken, before any work is done for it.
    func checkPlace() throws(StoreError) {
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(path, makes: false)
        } catch  where error.isMissingFile {
            return
        }
        guard try directory.names().isEmpty else { throw .exists(path) }
    }

    private func fill(
        _ directory: Directory,
        with space: LayeredSpace,
        erasable: Set<StoreKey>,
        transactions: Int,
        _ progress: (Progress) -> Void
    ) throws(StoreError) {
        let store = Manifest.randomStore()
        let transactions = NextEpoch.transactionsInBase(of: transactions, isErasableEmpty: erasable.isEmpty)
        let base = FileHeader.base(of: store, epoch: 1, transactions: transactions)
        let file = try File(Manifest.baseName(of: 1), in: directory, .new, calls: calls)
        let segment = try BaseWriter.write(space, without: erasable, to: file, header: base) { entries in
            progress(Progress(phase: "writing", done: entries, total: nil))
            return true
        }
        let header = FileHeader.journal(of: store, epoch: 1, transactions: transactions)
        var writer = JournalLineWriter()
        writer.start(number: transactions, check: header.check)
        let writes = try NextEpoch.erasableValues(of: space, at: erasable)
        if !writes.isEmpty { writer.append(writes[...], durable: 0) }
        let journal = try File(Manifest.journalName(of: 1), in: directory, .new, calls: calls)
        try journal.write(header.bytes + writer.bytes, at: 0)
        try journal.sync()
        let manifest = Manifest(
            store: store,
            epoch: 1,
            segment: segment,
            journalBytesSafe: header.bytes.count + writer.bytes.count
        )
        try StoreFiles(directory: directory, calls: calls).install(manifest)
    }

    /// Removes what was begun.
    private static func remove(_ path: String) {
        do throws(StoreError) {
            let directory = try Directory(path, makes: false)
            for name in try directory.names() { try directory.unlink(name) }
            rmdir(path)
        } catch {
            // Its name tells what it is.
        }
    }
}
