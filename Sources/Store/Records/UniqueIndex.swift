/// An index that finds the one record with a given key, and refuses a second record with that key.
package struct UniqueIndex<R: Record>: Sendable {
    let name: String
    let steady: (@Sendable (R) -> String)?
    let key: @Sendable (R) -> Key?

    /// - Parameters:
    ///   - steady: the only string in the record that can change and on which the key depends. An update that does not
    ///     change it need not compute the key.
    ///   - key: a record's key in this index; nil if the index omits the record.
    package init(
        _ name: String,
        steady: (@Sendable (R) -> String)? = nil,
        key: @escaping @Sendable (R) -> Key?
    ) {
        self.name = name
        self.steady = steady
        self.key = key
    }
}
