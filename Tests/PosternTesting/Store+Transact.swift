package import Store

extension Store {
    /// Runs `body` as a write transaction and returns its result.
    package func transact<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try write { try body($0) }
    }
}
