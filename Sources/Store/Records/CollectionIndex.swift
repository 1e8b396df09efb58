internal import Platform

/// An index of a collection, unique or ordered. It is a class because iterating over structs would retain each of their
/// properties.
package final class CollectionIndex: Sendable {
    /// The index's name, which is part of the keys of its entries.
    package let name: String
    /// The prefix of the keys of its entries.
    package let prefix: [UInt8]
    /// Whether the store keeps the number of entries with the same first component.
    package let isCounted: Bool
    /// The name that replaces the index name in the keys of these counts.
    package let countName: String
    /// The prefix of these keys.
    package let countPrefix: [UInt8]
    /// The key of a record of the collection's type; nil if the index omits the record.
    private let key: @Sendable (AnyStoredRecord) -> Key?
    /// Whether two versions of a record certainly have the same key.
    private let isSteady: @Sendable (AnyStoredRecord, AnyStoredRecord) -> Bool

    /// - Parameters:
    ///   - steady: as in `UniqueIndex`.
    ///   - key: a record's key; nil if the index omits the record.
    package init<R: Record>(
        _ name: String,
        of collection: String,
        steady: (@Sendable (R) -> String)?,
        isCounted: Bool,
        key: @escaping @Sendable (R) -> Key?
    ) {
        self.name = name
        self.isCounted = isCounted
        prefix = StoreKey.prefix(collection: collection, index: name)
        countName = "\(name)-count"
        countPrefix = StoreKey.prefix(collection: collection, index: countName)
        self.key = { key($0.as(R.self).record) }
        isSteady = { before, after in
            guard let steady else { return false }
            return steady(before.as(R.self).record).hasBytes(of: steady(after.as(R.self).record))
        }
    }

    /// The key of a record's entry; nil if the index omits the record.
    package func entry(of record: AnyStoredRecord) -> StoreKey? {
        key(record).map { StoreKey(prefix: prefix, $0) }
    }

    /// The first component of an entry's key, by which entries are counted; nil if the index is not counted.
    package func group(of entry: StoreKey) -> Key? {
        guard isCounted else { return nil }
        return Key(bytes: Array(entry.bytes[prefix.count...].prefix { $0 != UInt8(ascii: "/") }))
    }

    /// The key of the count of a first component; nil if `group` has more than one component, or if the index is not
    /// counted.
    package func countKey(of group: Key) -> StoreKey? {
        guard isCounted, !group.bytes.contains(UInt8(ascii: "/")) else { return nil }
        return StoreKey(prefix: countPrefix, group)
    }

    /// The old and the new key of a record's entry; nil if they are equal.
    package func move(from before: AnyStoredRecord, to after: AnyStoredRecord) -> (from: StoreKey?, to: StoreKey?)? {
        if isSteady(before, after) { return nil }
        let (old, new) = (key(before), key(after))
        guard old != new else { return nil }
        return (old.map { StoreKey(prefix: prefix, $0) }, new.map { StoreKey(prefix: prefix, $0) })
    }
}

extension String {
    /// Whether both have the same bytes. Equal strings can have different bytes.
    fileprivate func hasBytes(of other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { RawBytes.order($0, bytes) == 0 }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}
