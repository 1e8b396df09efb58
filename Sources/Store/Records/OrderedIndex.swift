/// An index that lists records in the order of their keys. No two records may have the same key.
package struct OrderedIndex<R: Record>: Sendable {
    let name: String
    let isCounted: Bool
    let key: @Sendable (R) -> Key?

    /// - Parameters:
    ///   - isCounted: whether the store keeps the number of records with the same first component, so that
    ///     `Transaction.count(_:prefix:)` need not visit them. The keys must then have at least two components.
    ///   - key: a record's key in this index; nil if the index omits the record.
    package init(_ name: String, isCounted: Bool = false, key: @escaping @Sendable (R) -> Key?) {
        self.name = name
        self.isCounted = isCounted
        self.key = key
    }
}
