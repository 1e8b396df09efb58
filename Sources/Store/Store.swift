internal import Platform

/// Thrown by a write transaction that refuses the request and yet keeps something, as a failed try that is counted.
///
/// An error, as it ends in one: a result that holds either would have the types of both looked up each time, which took a
/// thousand instructions of each write.
package struct Refusal: Error {
    /// What the request is refused with.
    let error: any Error
    /// Writes what is kept, once all else that the transaction wrote is undone.
    let keeping: @Sendable (Transaction) throws -> Void

    package init(_ error: any Error, keeping: @escaping @Sendable (Transaction) throws -> Void) {
        self.error = error
        self.keeping = keeping
    }
}

/// Typed records over a transactional key space: all that the domain sees of where its data live.
///
/// A store belongs to one thread. What a transaction wrote is safe, and may be told of, once `makeDurable()` returned.
package final class Store {
    private let engine: any Engine
    private let values = ValueWriter()

    package init(engine: any Engine) {
        self.engine = engine
    }

    /// What the store keeps its data in: `memory` or `directory`.
    package var kind: String { engine.kind }

    /// Runs `body` on one snapshot, which holds every acknowledged commit. `body` may be run more than once. A write in
    /// it throws `StoreError.readOnly`.
    package func read<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try engine.read { try body(Transaction(engine: $0, values: values)) }
    }

    /// Runs `body` as one transaction: all of what it writes takes effect, or, if it throws, none.
    ///
    /// `body` may be run more than once and must have no other effects: clock readings, random values and password
    /// hashes come in from outside.
    ///
    /// - Throws: what `body` throws; the error of a `Refusal`.
    package func write<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        do {
            return try engine.write({ try body(Transaction(engine: $0, values: values)) }) { error, engine in
                guard let refusal = error as? Refusal else { return }
                try refusal.keeping(Transaction(engine: engine, values: values))
            }
        } catch let refusal as Refusal {
            throw refusal.error
        }
    }

    /// Makes durable what all transactions so far wrote, and read. If it throws, what they wrote is taken back.
    ///
    /// It is also what ends a group of transactions: the next one sees what other processes have written since.
    package func makeDurable() throws(StoreError) {
        try engine.makeDurable()
    }

    /// Takes back all transactions since the last `makeDurable()` that returned.
    package func discardStaged() {
        engine.discardStaged()
    }

    /// Runs `body` again for as long as it meets a lock that another process holds: where no request waits behind it.
    ///
    /// - Throws: what `body` throws, and `StoreError.busy` where the lock was held for too long.
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

    /// Starts what the store needs beside transactions, such as a merge after a deletion. Nothing may be staged.
    ///
    /// - Returns: in how many milliseconds it wants to be called again; nil for not before the next transaction.
    package func maintain() -> Int? {
        engine.maintain()
    }

    /// Ends the use of the store; what is staged is lost.
    package func close() {
        engine.close()
    }

    /// What the store holds, in numbers. Entries are counted one by one.
    package func statistics() throws(StoreError) -> StoreStatistics {
        try engine.statistics()
    }
}
