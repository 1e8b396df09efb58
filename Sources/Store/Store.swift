internal import Glibc

/// What becomes of a transaction.
package enum WriteOutcome<Value> {
    /// What it wrote takes effect.
    case commit(Value)
    /// What it wrote is undone and the request is refused with an error. What `keeping` writes takes effect all the same: a
    /// failed try that is counted.
    case refuse(any Error, keeping: (Transaction) throws -> Void)
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

    /// Runs `body` on one snapshot, which holds every acknowledged commit. `body` may be run more than once, and must not
    /// write.
    package func read<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try engine.read { try body(Transaction(engine: $0, values: values)) }
    }

    /// Runs `body` as one transaction: all of what it writes takes effect, or, if it throws, none.
    ///
    /// `body` may be run more than once and must have no other effects: clock readings, random values and password
    /// hashes come in from outside.
    ///
    /// - Throws: the error with which `body` refuses; what `body` throws.
    package func write<Value>(_ body: (Transaction) throws -> WriteOutcome<Value>) throws -> Value {
        let result: Result<Value, any Error> = try engine.write { engine in
            let tx = Transaction(engine: engine, values: values)
            switch try body(tx) {
            case .commit(let value): return .success(value)
            case .refuse(let error, let keeping):
                engine.undo()
                try keeping(tx)
                return .failure(error)
            }
        }
        return try result.get()
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
                usleep(1_000)
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
