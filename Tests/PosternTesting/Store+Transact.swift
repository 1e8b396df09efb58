package import Store

extension Store {
    /// Runs `body` as a write transaction that commits whatever it gives.
    package func transact<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try write { try body($0) }
    }
}
