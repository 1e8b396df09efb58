import Store

/// Counts the entries that scans visit, a measure of work that does not depend on other load, and lets a test act
/// between two transactions, as another process may.
final class ObservedEngine: Engine, EngineTransaction {
    var visits = 0
    /// Called after each write transaction.
    var afterWrite: () throws -> Void = {}
    private let inner: any Engine
    private var transaction: (any EngineTransaction)?

    init(_ inner: any Engine) {
        self.inner = inner
    }

    var kind: String { inner.kind }

    func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        try inner.read { tx in try run(body, on: tx) }
    }

    func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value {
        let value = try inner.write({ tx in try run(body, on: tx) }) { error, tx in
            try run({ try keeping(error, $0) }, on: tx)
        }
        try afterWrite()
        return value
    }

    private func run<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        on tx: any EngineTransaction
    ) throws -> Value {
        transaction = tx
        defer { transaction = nil }
        return try body(self)
    }

    func makeDurable() throws(StoreError) { try inner.makeDurable() }
    func discardStaged() { inner.discardStaged() }
    func maintain() -> Int? { inner.maintain() }
    func close() { inner.close() }
    func statistics() throws(StoreError) -> StoreStatistics { try inner.statistics() }

    private var tx: any EngineTransaction {
        guard let transaction else { preconditionFailure("outside of a transaction") }
        return transaction
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? { try tx.value(of: key) }

    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        limit: Int,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        try tx.scan(from: lower, upTo: upper, descending: descending, limit: limit) { key, value in
            visits += 1
            return try visit(key, value)
        }
    }

    func next(_ counter: Counter) throws(StoreError) -> Int { try tx.next(counter) }

    func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        try tx.put(value, at: key, isErasable: isErasable)
    }

    func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool {
        try tx.insert(value, at: key, isErasable: isErasable)
    }

    func change(_ key: StoreKey, isErasable: Bool, _ change: (StoredValue?) throws -> StoredValue) throws {
        try tx.change(key, isErasable: isErasable, change)
    }

    func remove(_ key: StoreKey) throws(StoreError) { try tx.remove(key) }
}
