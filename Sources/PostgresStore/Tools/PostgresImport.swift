package import Store

/// Writes the entries of an import into an empty store, in one transaction.
package final class PostgresImport: ImportDestination {
    private let engine: PostgresEngine
    private var keys: [[UInt8]] = []
    private var values: [[UInt8]] = []
    private var bytes = 0
    private var isOpen = true

    /// How many entries, or how many bytes of them, travel together.
    private static let group = (entries: 2_000, bytes: 4 << 20)

    /// - Throws: `StoreError.unusable` if the store has entries.
    package init(into engine: PostgresEngine) throws(StoreError) {
        self.engine = engine
        // No other process may write meanwhile: an import is for a store that nothing uses yet.
        let results = try engine.run([
            Statements.beginAlone(),
            PreparedStatement.once("LOCK TABLE postern.entries IN EXCLUSIVE MODE"),
            PreparedStatement.once("SELECT 1 FROM postern.entries LIMIT 1"),
        ])
        guard results[2].rows.isEmpty else {
            discard()
            throw .unusable(
                "its store already has entries; postern import needs a database without a store, or with an empty one"
            )
        }
    }

    package func append(_ key: [UInt8], _ value: [UInt8], isErasable: Bool) throws(StoreError) {
        let prefix = StoreKey.counterPrefix
        guard !key.starts(with: prefix) else {
            guard let number = Int(String(decoding: value, as: UTF8.self)), number > 0 else { return }
            let counter = String(decoding: key.dropFirst(prefix.count), as: UTF8.self)
            try engine.run([Statements.setNumber(of: counter, to: number)])
            return
        }
        keys.append(key)
        values.append(value)
        bytes += key.count + value.count
        if keys.count >= Self.group.entries || bytes >= Self.group.bytes { try flush() }
    }

    package func finish() throws(StoreError) {
        try flush()
        isOpen = false
        let result: StatementResult
        do throws(StoreError) {
            result = try engine.run([Statements.commit()], waits: true)[0]
        } catch {
            throw .outcomeUnknown(
                "the connection was lost while the import was committed; postern stats shows whether it was"
            )
        }
        guard result.command == "COMMIT" else { throw .serverFailed("the import was undone") }
        guard !result.hasWarning else { throw .outcomeUnknown("no standby has confirmed the import") }
        // Without it, the server collects its statistics later.
        _ = try? engine.run([PreparedStatement.once("ANALYZE postern.entries")], waits: true)
    }

    package func discard() {
        guard isOpen else { return }
        isOpen = false
        // If the connection is lost, the server undoes the transaction.
        _ = try? engine.run([Statements.rollback()])
    }

    private func flush() throws(StoreError) {
        guard !keys.isEmpty else { return }
        try engine.run([Statements.insert(Parameter.array(keys), Parameter.array(values))])
        keys.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
