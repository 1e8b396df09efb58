/// One transaction's view of the key space.
package protocol EngineTransaction: AnyObject {
    /// The value of a key.
    func value(of key: StoreKey) throws(StoreError) -> StoredValue?

    /// The value of a key that is given by its bytes.
    func value(at key: UnsafeRawBufferPointer) throws(StoreError) -> StoredValue?

    /// Announces what the transaction is going to read, so that an engine that asks a server for values asks once for
    /// all of them. An engine with the values at hand does not call the closure.
    func prefetch(_ announce: (inout Prefetch) -> Void)

    /// The entry with the key `entry` of a unique index, and the record behind it; nil if there is no such entry.
    ///
    /// - Parameter prefix: the prefix of the keys of the collection's records.
    /// - Returns: the key and the value of the record.
    /// - Throws: `StoreError.damaged` if the entry has no record.
    func record(behind entry: StoreKey, prefix: [UInt8]) throws(StoreError) -> (StoreKey, StoredValue)?

    /// Calls `visit` with each entry from `lower` up to, but not including, `upper`, in ascending or descending order,
    /// until `visit` returns false.
    ///
    /// - Parameter limit: how many entries `visit` takes at most. An engine that asks a server for entries asks for no
    ///   more.
    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        limit: Int,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws

    /// Calls `visit` with the key and the value of the record behind each index entry, in the order of the entries.
    ///
    /// - Throws: `StoreError.damaged` if an entry has no record; what `visit` throws.
    func scanRecords(behind entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws

    /// The next number of a counter, from 1 on. No number is given twice. An engine whose transactions run side by side
    /// may skip numbers.
    ///
    /// - Throws: `StoreError.usedUp` if no further number fits into a key.
    func next(_ counter: Counter) throws(StoreError) -> Int

    /// Sets a key's value. The bytes of an erasable value are overwritten in the files after the key is removed or set
    /// again.
    ///
    /// - Throws: `StoreError.tooLarge` if a limit in `Limits` is exceeded. Nothing is set then.
    func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError)

    /// The same if the key has no value. If the key has a value, nothing is set and the result is false.
    func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool

    /// The same with the result of `change`, which gets the key's current value. `change` may set other keys.
    func change(_ key: StoreKey, isErasable: Bool, _ change: (StoredValue?) throws -> StoredValue) throws

    /// Removes a key if it exists.
    func remove(_ key: StoreKey) throws(StoreError)
}

/// A transactional, ordered key space: the foundation of a store.
///
/// Transactions take effect one after another. Their writes stay *staged* until `makeDurable()` returns: later
/// transactions of this process see them, other processes do not, and they are not durable. So many transactions share
/// one sync. An engine that commits each transaction at once has nothing to do in `makeDurable()`.
///
/// A group of transactions ends with a call of `makeDurable()` or `discardStaged()`. An engine that shares its data
/// with other processes reads their writes before the first transaction of each group. One of the two calls must end
/// every group, even a group that only reads: data that were read are known to be durable only then.
package protocol Engine: AnyObject {
    /// The kind of storage, for an administrator: `memory`, `directory` or `postgres`.
    var kind: String { get }

    /// Whether a number of a counter tells the order of the transactions that drew one: a transaction with a higher
    /// number commits later.
    var ordersNumbers: Bool { get }

    /// Runs `body` on the current data, including staged writes of this process. `body` may be run more than once and
    /// must not start another transaction. A write in it throws `StoreError.writeInRead`.
    func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value

    /// Runs `body` and stages its writes, or none of them if it throws. `body` may be run more than once and must not
    /// start another transaction.
    ///
    /// - Parameter keeping: called with the error that `body` threw, after all writes of `body` are undone. Its writes
    ///   are staged in the same transaction.
    /// - Throws: `StoreError.busy` or `.locked`, when `body` has not run or has run as a read; what `body` throws; what
    ///   `keeping` throws.
    func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value

    /// Runs `body` as `write` does, while no other process runs a transaction with the same number of a lock. Such a
    /// transaction need not be isolated from others that change what it reads.
    ///
    /// - Parameter waits: whether to wait for the end of such a transaction of another process.
    /// - Returns: nil, without running `body`, if another process runs one and `waits` is false.
    func writeAlone<Value>(
        lock: Int,
        waits: Bool,
        _ body: (any EngineTransaction) throws -> Value
    ) throws -> Value?

    /// Makes all staged writes durable, and all data that were read. If it throws, the staged writes are undone in this
    /// process.
    ///
    /// - Throws: `StoreError.diskFull`, `.readOnly` or `.systemCall`. If `.systemCall` says that the outcome is
    ///   unknown, other processes may see the writes, they may exist when the store is next opened, and this engine
    ///   writes no more.
    func makeDurable() throws(StoreError)

    /// Undoes all staged writes.
    func discardStaged()

    /// Starts the background work of the store if it is due. Nothing may be staged.
    ///
    /// - Returns: the milliseconds until the next call; nil if no call is needed before the next transaction.
    func maintain() -> Int?

    /// Waits for background work that is overdue. A caller that writes without pauses would otherwise be faster than
    /// that work, and need more and more memory. Nothing may be staged.
    func catchUp()

    /// Ends the use of the store. Staged writes are lost.
    func close()

    /// Figures about the contents of the store. All entries are counted one by one.
    ///
    /// - Throws: `StoreError.damaged`.
    func statistics() throws(StoreError) -> StoreStatistics
}

extension Engine {
    /// For engines whose transactions take effect one after another.
    package var ordersNumbers: Bool { true }

    /// The same.
    package func writeAlone<Value>(
        lock: Int,
        waits: Bool,
        _ body: (any EngineTransaction) throws -> Value
    ) throws -> Value? {
        try write(body)
    }

    /// For engines without background work.
    package func catchUp() {}

    /// Runs `body` and stages its writes, or none of them if it throws.
    package func write<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        try write(body) { _, _ in }
    }
}
