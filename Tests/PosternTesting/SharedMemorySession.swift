package import Store

/// One session of a `SharedMemory`. Each write transaction is committed before `write` returns, so nothing is staged.
package final class SharedMemorySession: Engine, EngineTransaction {
    private let memory: SharedMemory
    private var snapshot: [SharedMemory.Entry] = []
    private var reads = SharedMemory.Reads()
    private var writes: [StoreKey: [UInt8]?] = [:]
    private var writtenBytes = 0
    private var isWriting = false
    private var hasCommitted = false
    /// Whether the closure of a transaction is running.
    package private(set) var isInTransaction = false

    /// The number of failed commits after which `write` throws.
    private static let runsMax = 100

    package init(_ memory: SharedMemory) {
        self.memory = memory
    }

    package let kind = "memory"

    package func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        isInTransaction = true
        defer { isInTransaction = false }
        begin(isWriting: false)
        _ = Result { try body(self) }
        begin(isWriting: false)
        return try body(self)
    }

    package func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value {
        isInTransaction = true
        defer { isInTransaction = false }
        // The first run is always discarded.
        _ = run(body, keeping)
        for _ in 0..<Self.runsMax {
            let result = run(body, keeping)
            if memory.commit(writes, ifUnchanged: reads, since: snapshot) {
                if !writes.isEmpty {
                    if hasCommitted { memory.recordDoubleCommit(writes) }
                    hasCommitted = true
                }
                return try result.get()
            }
        }
        throw StoreError.busy("the transaction was run \(Self.runsMax) times")
    }

    private func run<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        _ keeping: (any Error, any EngineTransaction) throws -> Void
    ) -> Result<Value, any Error> {
        begin(isWriting: true)
        do {
            return .success(try body(self))
        } catch {
            writes = [:]
            writtenBytes = 0
            do {
                try keeping(error, self)
                return .failure(error)
            } catch {
                writes = [:]
                return .failure(error)
            }
        }
    }

    private func begin(isWriting: Bool) {
        snapshot = memory.snapshot
        reads = SharedMemory.Reads()
        writes = [:]
        writtenBytes = 0
        self.isWriting = isWriting
    }

    package func makeDurable() throws(StoreError) { hasCommitted = false }
    package func discardStaged() { hasCommitted = false }
    package func maintain() -> Int? { nil }
    package func close() {}

    package func statistics() throws(StoreError) -> StoreStatistics {
        StoreStatistics(kind: kind, entries: memory.snapshot.count)
    }

    // MARK: The transaction under way

    package func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let written = writes[key] { return written.map { StoredValue(bytes: $0) } }
        reads.keys.insert(key)
        return snapshot.entry(of: key).map { StoredValue(bytes: $0.bytes) }
    }

    package func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        limit: Int,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        reads.ranges.append((lower, upper))
        var entries = Dictionary(
            uniqueKeysWithValues: snapshot.entries((lower, upper)).map { ($0.key, Optional($0.bytes)) }
        )
        for (key, bytes) in writes where lower <= key && key < upper { entries[key] = bytes }
        for key in entries.keys.sorted(by: { descending ? $0 > $1 : $0 < $1 }) {
            guard let bytes = entries[key] ?? nil else { continue }
            guard try visit(key, StoredValue(bytes: bytes)) else { return }
        }
    }

    package func next(_ counter: Counter) throws(StoreError) -> Int {
        let next = try counter.next(after: value(of: counter.key))
        try put(StoredValue(number: next), at: counter.key, isErasable: false)
        return next
    }

    package func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        guard isWriting else { throw .writeInRead }
        writtenBytes = try WriteBounds.bytes(writtenBytes, adding: value, at: key)
        writes[key] = .some(value.bytes)
    }

    package func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool {
        guard try self.value(of: key) == nil else { return false }
        try put(value, at: key, isErasable: isErasable)
        return true
    }

    package func change(
        _ key: StoreKey,
        isErasable: Bool,
        _ change: (StoredValue?) throws -> StoredValue
    ) throws {
        try put(change(value(of: key)), at: key, isErasable: isErasable)
    }

    package func remove(_ key: StoreKey) throws(StoreError) {
        guard try value(of: key) != nil else { return }
        guard isWriting else { throw .writeInRead }
        writes[key] = .some(nil)
    }
}
