/// A store whose entries can all be read, for tools that process it as a whole.
package protocol EntrySource {
    /// Calls `visit` with each entry of one state of the store, in the order of the keys.
    ///
    /// - Throws: `StoreError`; what `visit` throws.
    func forEachEntry(_ visit: (StoreKey, StoredValue) throws -> Void) throws
}

/// Takes the entries of an import.
package protocol ImportDestination: AnyObject {
    /// Adds an entry. Its key must be greater than all keys before it.
    func append(_ key: [UInt8], _ value: [UInt8], isErasable: Bool) throws(StoreError)

    /// Makes the entries durable.
    func finish() throws(StoreError)

    /// Drops all entries. It does nothing after `finish()`.
    func discard()
}
