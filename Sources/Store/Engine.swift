internal import JSON

/// A value of the key space: its JSON bytes, and beside them the record that they were last decoded to.
package final class StoredValue {
    /// One JSON value other than null, with no line feed outside a string: what a `JSONWriter` gives.
    package let bytes: [UInt8]
    /// The decoded record, kept so that a record that is read again is not decoded again.
    var decoded: AnyStoredRecord?

    package init(bytes: [UInt8], decoded: AnyStoredRecord? = nil) {
        self.bytes = bytes
        self.decoded = decoded
    }
}

/// A decoded record of whatever type.
package class AnyStoredRecord {
    /// The record's type.
    let type: ObjectIdentifier

    init(type: Any.Type) {
        self.type = ObjectIdentifier(type)
    }

    /// The same, of a type that it is known to have. A cast that looks for itself takes as long as all the rest of
    /// reading a record.
    func `as`<R: Record>(_ type: R.Type) -> StoredRecord<R> {
        unsafeDowncast(self, to: StoredRecord<R>.self)
    }

    /// Writes the record as one object.
    func write(to writer: inout JSONWriter) {
        preconditionFailure("a record has a type")
    }
}

/// One transaction's view of the key space.
package protocol EngineTransaction: AnyObject {
    /// The value of a key.
    func value(of key: StoreKey) throws(StoreError) -> StoredValue?

    /// Calls `visit` with each entry from `lower` up to, not including, `upper`, in order or backwards, until it
    /// answers false.
    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws

    /// Sets a key's value. An erasable value's bytes are overwritten in the files once it is removed or set anew.
    ///
    /// - Throws: `StoreError.tooLarge` where a bound of `Limits` is passed; nothing was set then.
    func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError)

    /// The same where the key has no value; false where it has one, with nothing set.
    func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool

    /// The same with what `change` makes of the value that the key has. Meanwhile other keys may be set.
    func change(_ key: StoreKey, isErasable: Bool, _ change: (StoredValue?) throws -> StoredValue) throws

    /// Removes a key, where it is there.
    func remove(_ key: StoreKey) throws(StoreError)
}

/// A transactional, ordered key space: what a store is built on.
///
/// Transactions take effect one after another. What they did stays *staged*, seen by later transactions of this process
/// but by nobody else and not safe yet, until `makeDurable()` returns: so many transactions share one sync. An engine
/// that commits each transaction at once has nothing to do there.
///
/// An engine that shares its data with other processes looks at what these wrote before the first transaction after
/// `makeDurable()` or `discardStaged()`; the transactions up to the next of these calls belong together. So one of the two
/// is to be called whenever a group of them ends, also one that only read: what it read is safe only then.
package protocol Engine: AnyObject {
    /// What the engine keeps its data in, for people: `memory` or `directory`.
    var kind: String { get }

    /// Runs `body` on what is there, staged writes of this process included. `body` may be run more than once and starts no
    /// other transaction. A write in it throws `StoreError.readOnly`.
    func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value

    /// Runs `body` and stages what it wrote, or nothing of it if it throws. `body` may be run more than once, and starts no
    /// other transaction.
    ///
    /// - Parameter keeping: called with what `body` threw, once all that it wrote is undone. What it writes is staged, in the
    ///   same transaction.
    /// - Throws: `StoreError.busy` or `.locked`, before `body` is run; what `body` throws; what `keeping` throws.
    func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value

    /// Makes all that is staged durable, and all that was read. If it throws, what was staged is taken back.
    ///
    /// - Throws: `StoreError.diskFull`, `.readOnly` or `.systemCall`. Where the last tells that the outcome is unknown,
    ///   what was staged may be there when the store is next opened, and this engine writes no more.
    func makeDurable() throws(StoreError)

    /// Takes back all that is staged.
    func discardStaged()

    /// Starts what the store needs beside transactions. Nothing may be staged.
    ///
    /// - Returns: in how many milliseconds it wants to be called again; nil for not before the next transaction.
    func maintain() -> Int?

    /// Ends the use of the store; what is staged is lost.
    func close()

    /// What the store holds, in numbers. Entries are counted one by one.
    ///
    /// - Throws: `StoreError.damaged`.
    func statistics() throws(StoreError) -> StoreStatistics
}

extension Engine {
    /// Runs `body` and stages what it wrote, or nothing of it if it throws.
    package func write<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        try write(body) { _, _ in }
    }
}
