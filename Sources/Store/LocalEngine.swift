/// The key space of one process: held in memory and, where it has a directory, kept there in a journal.
///
/// In memory it is the same engine without the files. Opening a directory reads its journal; from then on reading costs
/// no system call, and `makeDurable()` one write and one sync however many transactions are staged.
///
/// A base of sorted entries would go under `space`, which then holds only what is newer.
package final class LocalEngine: Engine, EngineTransaction {
    private let directory: StoreDirectory?
    private var space: KeySpace
    private var staged: [StagedWrite] = []
    /// Where in `staged` each transaction ends.
    private var ends: [Int] = []
    /// The bytes that the transaction under way has written so far.
    private var transactionBytes = 0
    private var isInTransaction = false
    private var transactionsInMemory = 0

    /// A store that lives as long as the process.
    package init() {
        directory = nil
        space = KeySpace()
    }

    /// The store that a directory holds, or a new one where it holds none.
    ///
    /// The directory is made where it is missing, with mode 0700, as are those above it. No other process can open it
    /// until this engine is closed or its process ends. A directory that cannot be written to is opened to be read.
    ///
    /// - Parameters:
    ///   - directory: its path.
    ///   - log: told, in a line of text, of what is out of the ordinary but no error.
    ///   - calls: the system calls that change files.
    /// - Throws: `StoreError.busy` where another process has it open; `.damaged` where a file is not as it was written;
    ///   `.newerFormat`; `.readOnly` where the store would have to be made and cannot be; `.diskFull`; `.systemCall`.
    package init(
        directory: String,
        log: @escaping (String) -> Void,
        calls: SystemCalls = .real
    ) throws(StoreError) {
        (self.directory, space) = try StoreDirectory.open(directory, calls: calls, log: log)
    }

    package var kind: String { directory == nil ? "memory" : "directory" }

    package func transact<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        precondition(!isInTransaction, "a transaction within a transaction")
        isInTransaction = true
        defer { isInTransaction = false }
        let start = staged.count
        transactionBytes = 0
        do {
            let value = try body(self)
            if staged.count > start { ends.append(staged.count) }
            return value
        } catch {
            undo(to: start)
            throw error
        }
    }

    package func makeDurable() throws(StoreError) {
        guard !staged.isEmpty else { return }
        if let directory {
            try directory.journal.append(staged, ends: ends)
        } else {
            transactionsInMemory += ends.count
        }
        staged.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    package func discardStaged() {
        undo(to: 0)
        ends.removeAll(keepingCapacity: true)
    }

    package func close() {
        discardStaged()
        directory?.close()
    }

    package func statistics() -> StoreStatistics {
        StoreStatistics(
            kind: kind,
            directory: directory?.path,
            store: directory?.manifest.store,
            epoch: directory?.manifest.epoch,
            transactions: directory?.journal.number ?? transactionsInMemory,
            journalBytes: directory?.journal.length ?? 0,
            durableBytes: directory?.journal.durable ?? 0,
            entries: space.count,
            collections: space.recordCounts()
        )
    }

    // MARK: One transaction

    package func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        space[key]
    }

    package func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        try space.scan(from: lower, upTo: upper, descending: descending, visit)
    }

    package func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        try checkBounds(key, value)
        let previous = space.set(value, at: key)
        staged.append(StagedWrite(key: key, value: value, previous: previous, isErasable: isErasable))
    }

    package func remove(_ key: StoreKey) throws(StoreError) {
        guard let previous = space.set(nil, at: key) else { return }
        staged.append(StagedWrite(key: key, value: nil, previous: previous, isErasable: false))
    }

    private func checkBounds(_ key: StoreKey, _ value: StoredValue) throws(StoreError) {
        guard key.bytes.count <= Limits.keyBytesMax else { throw .tooLarge(bytes: key.bytes.count) }
        guard value.bytes.count <= Limits.valueBytesMax else { throw .tooLarge(bytes: value.bytes.count) }
        transactionBytes += key.bytes.count + value.bytes.count
        guard transactionBytes <= Limits.transactionBytesMax else { throw .tooLarge(bytes: transactionBytes) }
    }

    private func undo(to start: Int) {
        while staged.count > start {
            let write = staged.removeLast()
            space.set(write.previous, at: write.key)
        }
    }
}
