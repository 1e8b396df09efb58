package import JSON

/// A value that the store keeps: a struct that is encoded as one JSON object.
package protocol Record: Sendable {
    /// The collection of all records of this type.
    static var collection: Collection<Self> { get }
    /// The record's key in the collection. It never changes.
    var key: Key { get }

    /// Reads the object that `write(to:)` wrote.
    init(reading reader: inout JSONReader) throws(JSONError)
    /// Writes the record as one object.
    func write(to writer: inout JSONWriter)
    /// Reports the domain rules that the record breaks, and the other records that it needs. Requests always follow the
    /// rules; this is for records from other sources, such as an import.
    func validate(into findings: inout RecordFindings)
}

extension Record {
    /// Reports nothing, for records without rules.
    package func validate(into findings: inout RecordFindings) {}
}

/// The parts of a collection that do not depend on the type of its records.
///
/// It is a class because every read of a record uses it: copying a struct would retain each of its properties. It is
/// not generic because generic code looks up its types each time it runs.
package class AnyCollection: @unchecked Sendable {
    /// The collection's name, with which the keys of its records start.
    package let name: String
    /// Whether a record's bytes are overwritten in the files after it is deleted, for data that must not be kept.
    package let isErasable: Bool
    /// Whether its records may be substitutes for deleted records; see `RecordFindings.standIn(for:_:)`.
    let mayStandIn: Bool
    /// The prefix of the keys of its records.
    let recordPrefix: [UInt8]
    /// The counter that numbers its records; nil if they are not numbered.
    let counter: Counter?
    let indexes: [CollectionIndex]

    /// Safe to share: all properties of this class and of `Collection` are constant.
    fileprivate init(
        _ name: String,
        isNumbered: Bool,
        isErasable: Bool,
        mayStandIn: Bool,
        indexes: [CollectionIndex]
    ) {
        self.name = name
        self.isErasable = isErasable
        self.mayStandIn = mayStandIn
        self.recordPrefix = StoreKey.prefix(collection: name, index: StoreKey.recordIndex)
        self.counter = isNumbered ? Counter(name) : nil
        self.indexes = indexes
    }

    /// The index with that name.
    func index(named name: String) -> CollectionIndex? {
        for index in indexes where index.name == name { return index }
        return nil
    }

    /// The prefix of the keys of an index's entries.
    func prefix(ofIndex name: String) -> [UInt8] {
        index(named: name)?.prefix ?? StoreKey.prefix(collection: self.name, index: name)
    }
}

/// The records of one type: their place in the key space and their indexes.
package final class Collection<R: Record>: AnyCollection, @unchecked Sendable {
    /// The counters from which other numbers in its records come.
    let counters: [RecordCounter<R>]
    /// Cached, because looking up a generic class takes longer than creating an object of it.
    private let storedType = StoredRecord<R>.self

    /// - Parameters:
    ///   - isNumbered: whether the keys of its records are numbers from a counter of its own, as
    ///     `Transaction.nextNumber(of:)` returns them.
    ///   - counters: the counters from which other numbers in its records come.
    ///   - mayStandIn: whether its records may be substitutes for deleted records that others need.
    package init(
        _ name: String,
        isNumbered: Bool = false,
        counters: [RecordCounter<R>] = [],
        unique: [UniqueIndex<R>] = [],
        ordered: [OrderedIndex<R>] = [],
        isErasable: Bool = false,
        mayStandIn: Bool = false
    ) {
        self.counters = counters
        let indexes =
            unique.map { CollectionIndex($0.name, of: name, steady: $0.steady, isCounted: false, key: $0.key) }
            + ordered.map { CollectionIndex($0.name, of: name, steady: nil, isCounted: $0.isCounted, key: $0.key) }
        super.init(
            name,
            isNumbered: isNumbered,
            isErasable: isErasable,
            mayStandIn: mayStandIn,
            indexes: indexes
        )
    }

    /// A record in the form in which a stored value keeps it.
    func stored(_ record: R) -> StoredRecord<R> { storedType.init(record) }
}

/// An index of a collection, unique or ordered. It is a class because iterating over structs would retain each of their
/// properties.
final class CollectionIndex: Sendable {
    let name: String
    /// The prefix of the keys of its entries.
    let prefix: [UInt8]
    /// Whether the store keeps the number of entries with the same first component.
    let isCounted: Bool
    /// The name that replaces the index name in the keys of these counts.
    let countName: String
    /// The prefix of these keys.
    let countPrefix: [UInt8]
    /// The key of a record of the collection's type; nil if the index omits the record.
    private let key: @Sendable (AnyStoredRecord) -> Key?
    /// Whether two versions of a record certainly have the same key.
    private let isSteady: @Sendable (AnyStoredRecord, AnyStoredRecord) -> Bool

    fileprivate init<R: Record>(
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
    func entry(of record: AnyStoredRecord) -> StoreKey? {
        key(record).map { StoreKey(prefix: prefix, $0) }
    }

    /// The first component of an entry's key, by which entries are counted; nil if the index is not counted.
    func group(of entry: StoreKey) -> Key? {
        guard isCounted else { return nil }
        return Key(bytes: Array(entry.bytes[prefix.count...].prefix { $0 != UInt8(ascii: "/") }))
    }

    /// The key of the count of a first component; nil if `group` has more than one component, or if the index is not
    /// counted.
    func countKey(of group: Key) -> StoreKey? {
        guard isCounted, !group.bytes.contains(UInt8(ascii: "/")) else { return nil }
        return StoreKey(prefix: countPrefix, group)
    }

    /// The old and the new key of a record's entry; nil if they are equal.
    func move(from before: AnyStoredRecord, to after: AnyStoredRecord) -> (from: StoreKey?, to: StoreKey?)? {
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
            other.utf8.withContiguousStorageIfAvailable { PackedKeys.compare($0, bytes) == 0 }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

/// A sequence of whole numbers that starts with 1. It never gives a number twice.
package struct Counter: Sendable, ExpressibleByStringLiteral {
    let name: String
    /// The key of the last number.
    let key: StoreKey

    package init(_ name: String) {
        self.name = name
        key = .counter(name)
    }

    package init(stringLiteral name: String) {
        self.init(name)
    }
}

/// A counter from which a number in records comes.
package struct RecordCounter<R: Record>: Sendable {
    let counter: Counter
    let number: @Sendable (R) -> Int

    /// - Parameter number: the number in a record that comes from the counter.
    package init(_ counter: Counter, number: @escaping @Sendable (R) -> Int) {
        self.counter = counter
        self.number = number
    }
}

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
