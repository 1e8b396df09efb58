/// The key space of one process, held in memory.
package final class LocalEngine: Engine, EngineTransaction {
    /// One write of a staged transaction, with what it replaced.
    private struct Write {
        let key: StoreKey
        let value: StoredValue?
        let previous: StoredValue?
        let isErasable: Bool
    }

    private var space = KeySpace()
    private var staged: [Write] = []

    /// A store that lives as long as the process.
    package init() {}

    package var kind: String { "memory" }

    package func transact<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        let start = staged.count
        do {
            return try body(self)
        } catch {
            undo(to: start)
            throw error
        }
    }

    package func makeDurable() throws(StoreError) {
        staged.removeAll(keepingCapacity: true)
    }

    package func discardStaged() {
        undo(to: 0)
    }

    package func close() {}

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
        let previous = space.set(value, at: key)
        staged.append(Write(key: key, value: value, previous: previous, isErasable: isErasable))
    }

    package func remove(_ key: StoreKey) throws(StoreError) {
        guard let previous = space.set(nil, at: key) else { return }
        staged.append(Write(key: key, value: nil, previous: previous, isErasable: false))
    }

    private func undo(to start: Int) {
        while staged.count > start {
            let write = staged.removeLast()
            space.set(write.previous, at: write.key)
        }
    }
}
