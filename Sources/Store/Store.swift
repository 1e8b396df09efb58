internal import Platform

/// Thrown by a write transaction that refuses the request but keeps some writes, for example the count of failed
/// attempts.
///
/// It is an error because the transaction ends with one. A result type for both cases would look up the types of both
/// each time, which took a thousand instructions per write.
package struct Refusal: Error {
    /// The error of the refused request.
    let error: any Error
    /// Makes the writes to keep, after all other writes of the transaction are undone.
    let keeping: @Sendable (Transaction) throws -> Void

    package init(_ error: any Error, keeping: @escaping @Sendable (Transaction) throws -> Void) {
        self.error = error
        self.keeping = keeping
    }
}

/// Typed records over a transactional key space: the domain's only access to its data.
///
/// A store belongs to one thread. The writes of a transaction are durable, and may be reported, after `makeDurable()`
/// has returned.
package final class Store {
    private let engine: any Engine
    private let context: TransactionContext
    private var refusesWrites = false

    package init(engine: any Engine) {
        self.engine = engine
        context = TransactionContext(ordersNumbers: engine.ordersNumbers)
    }

    /// Whether a number of a counter tells the order of the transactions that drew one.
    package var ordersNumbers: Bool { context.ordersNumbers }

    /// The kind of storage: `memory`, `directory` or `postgres`.
    package var kind: String { engine.kind }

    /// Runs `body` on one snapshot, which has every acknowledged commit. `body` may be run more than once. A write in
    /// it throws `StoreError.writeInRead`.
    package func read<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        defer { context.followUps.release() }
        return try engine.read { try body(transaction(on: $0)) }
    }

    /// Runs `body` as one transaction: all of its writes take effect, or none if it throws.
    ///
    /// `body` may be run more than once and must have no other effects. It must get clock readings, random values and
    /// password hashes from outside.
    ///
    /// - Throws: what `body` throws; the error of a `Refusal`; `StoreError.writeInRead` within `refusingWrites`.
    package func write<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        guard !refusesWrites else { throw StoreError.writeInRead }
        do {
            let value = try engine.write({ try body(transaction(on: $0)) }) { error, engine in
                guard let refusal = error as? Refusal else { return }
                try refusal.keeping(transaction(on: engine))
            }
            context.followUps.stage()
            return value
        } catch let refusal as Refusal {
            context.followUps.stage()
            throw refusal.error
        }
    }

    /// Runs `body` as `write` does, while no other process runs a transaction with the same number of a lock.
    ///
    /// - Parameter waits: whether to wait for the end of such a transaction of another process.
    /// - Returns: nil, without running `body`, if another process runs one and `waits` is false.
    package func writeAlone<Value>(
        lock: Int,
        waits: Bool,
        _ body: (Transaction) throws -> Value
    ) throws -> Value? {
        guard !refusesWrites else { throw StoreError.writeInRead }
        // If another process runs one, no transaction begins here.
        context.followUps.current = []
        let value = try engine.writeAlone(lock: lock, waits: waits) { try body(transaction(on: $0)) }
        context.followUps.stage()
        return value
    }

    private func transaction(on engine: any EngineTransaction) -> Transaction {
        context.followUps.current = []
        return Transaction(engine: engine, context: context)
    }

    /// Whether a durable transaction, or a read, has asked for the work since the last call.
    package func takeFollowUp(_ work: FollowUps) -> Bool {
        context.followUps.take(work)
    }

    /// Runs `body`, in which each write transaction throws `StoreError.writeInRead` and is not begun.
    package func refusingWrites<Value>(_ body: () throws -> Value) rethrows -> Value {
        refusesWrites = true
        defer { refusesWrites = false }
        return try body()
    }

    /// Makes all writes of the transactions so far durable, and all data that they read. If it throws, their writes are
    /// undone in this process; after a failed sync other processes may see them, and they may exist when the store is
    /// next opened.
    ///
    /// It also ends a group of transactions: the next transaction sees what other processes have written since.
    package func makeDurable() throws(StoreError) {
        do throws(StoreError) {
            try engine.makeDurable()
        } catch {
            context.followUps.discardStaged()
            throw error
        }
        context.followUps.makeDue()
    }

    /// Undoes all transactions since the last `makeDurable()` that returned.
    package func discardStaged() {
        engine.discardStaged()
        context.followUps.discardStaged()
    }

    /// Runs `body` again and again while another process holds the lock. It is for callers behind which no request
    /// waits.
    ///
    /// - Throws: what `body` throws; `StoreError.busy` if the lock was held for too long.
    package func retryWhileLocked(_ body: () throws -> Void) throws {
        while true {
            do {
                return try body()
            } catch StoreError.locked {
                discardStaged()
                Thread.sleep(microseconds: 1_000)
            }
        }
    }

    /// Starts the background work of the store if it is due, such as a compaction after a deletion. Nothing may be
    /// staged.
    ///
    /// - Returns: the milliseconds until the next call; nil if no call is needed before the next transaction.
    package func maintain() -> Int? {
        engine.maintain()
    }

    /// Waits for background work that is overdue, between the transactions of a caller that writes without pauses.
    /// Nothing may be staged.
    package func catchUp() {
        engine.catchUp()
    }

    /// Ends the use of the store. Staged writes are lost.
    package func close() {
        engine.close()
    }

    /// Figures about the contents of the store. All entries are counted one by one.
    package func statistics() throws(StoreError) -> StoreStatistics {
        try engine.statistics()
    }
}
