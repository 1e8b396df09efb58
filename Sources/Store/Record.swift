package import JSON

/// A value that the store keeps: a struct that reads and writes itself as one JSON object.
package protocol Record: Sendable {
    /// Where records of this type stand, and what they can be found by.
    static var collection: Collection<Self> { get }
    /// What the record is found by; it never changes.
    var key: Key { get }

    /// Reads the object that `write(to:)` wrote.
    init(reading reader: inout JSONReader) throws(JSONError)
    /// Writes the record as one object.
    func write(to writer: inout JSONWriter)
    /// Reports which rules of its domain the record breaks, and which other records it needs. Requests keep to the rules
    /// by themselves; this is for records that come from elsewhere.
    func validate(into findings: inout RecordFindings)
}

extension Record {
    /// A record without rules.
    package func validate(into findings: inout RecordFindings) {}
}

/// What there is to know of a collection without its records' type.
///
/// A class, as every look at a record asks for it, and a struct's members would be counted one by one each time. Not
/// generic, as what is generic looks up its types each time that it runs.
package class AnyCollection: @unchecked Sendable {
    /// The collection's name, which starts the keys of its records.
    package let name: String
    /// Whether a record's bytes are overwritten in the files once it is deleted: for what must not outlive its use.
    package let isErasable: Bool
    /// Whether its records may stand in for others: see `RecordFindings.standIn(for:_:)`.
    let mayStandIn: Bool
    /// What the keys of its records start with.
    let recordPrefix: [UInt8]
    /// The counter that numbers its records; nil where something else does.
    let counter: Counter?
    let indexes: [CollectionIndex]

    /// Safe to share: all that it and `Collection` hold is constant.
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

    /// One of its indexes.
    func index(named name: String) -> CollectionIndex? {
        for index in indexes where index.name == name { return index }
        return nil
    }

    /// What the keys of an index's entries start with.
    func prefix(ofIndex name: String) -> [UInt8] {
        index(named: name)?.prefix ?? StoreKey.prefix(collection: self.name, index: name)
    }
}

/// The records of one type: their place in the key space and their indexes.
package final class Collection<R: Record>: AnyCollection, @unchecked Sendable {
    /// The counters that other numbers in its records are from.
    let counters: [RecordCounter<R>]
    /// Kept, as looking a generic class up takes longer than making an object of it.
    private let storedType = StoredRecord<R>.self

    /// - Parameters:
    ///   - isNumbered: whether its records are found by numbers of its own, which `Transaction.nextNumber(of:)` gives.
    ///   - counters: where other numbers in its records come from.
    ///   - mayStandIn: whether its records may stand in for records that others need.
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

/// One of a collection's indexes, of either kind. A class, as going through them would count each of a struct's members.
final class CollectionIndex: Sendable {
    let name: String
    /// What the keys of its entries start with.
    let prefix: [UInt8]
    /// Whether it is kept how many entries have the same first component.
    let isCounted: Bool
    /// What stands in place of the index in the keys of these counts.
    let countName: String
    /// What these keys start with.
    let countPrefix: [UInt8]
    /// The key of a record of the collection's type; nil where the index leaves it out.
    private let key: @Sendable (AnyStoredRecord) -> Key?
    /// Whether two versions of a record have the same key for sure.
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

    /// The key of a record's entry; nil where the index leaves the record out.
    func entry(of record: AnyStoredRecord) -> StoreKey? {
        key(record).map { StoreKey(prefix: prefix, $0) }
    }

    /// The first component of an entry's key, which a count is kept for; nil where none is.
    func group(of entry: StoreKey) -> Key? {
        guard isCounted else { return nil }
        return Key(bytes: Array(entry.bytes[prefix.count...].prefix { $0 != UInt8(ascii: "/") }))
    }

    /// Where the count of a first component is kept; nil for what is none, and where no count is kept.
    func countKey(of group: Key) -> StoreKey? {
        guard isCounted, !group.bytes.contains(UInt8(ascii: "/")) else { return nil }
        return StoreKey(prefix: countPrefix, group)
    }

    /// The keys of the entries of two versions of a record, where they are not the same.
    func move(from before: AnyStoredRecord, to after: AnyStoredRecord) -> (from: StoreKey?, to: StoreKey?)? {
        if isSteady(before, after) { return nil }
        let (old, new) = (key(before), key(after))
        guard old != new else { return nil }
        return (old.map { StoreKey(prefix: prefix, $0) }, new.map { StoreKey(prefix: prefix, $0) })
    }
}

extension String {
    /// Whether both have the same bytes: equality also holds of texts that differ in them.
    fileprivate func hasBytes(of other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let isSame = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { PackedKeys.compare($0, bytes) == 0 }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

/// What whole numbers come from, 1 first; none is given twice.
package struct Counter: Sendable, ExpressibleByStringLiteral {
    let name: String
    /// Where the last number stands.
    let key: StoreKey

    package init(_ name: String) {
        self.name = name
        key = .counter(name)
    }

    package init(stringLiteral name: String) {
        self.init(name)
    }
}

/// A counter that gives numbers to something in records.
package struct RecordCounter<R: Record>: Sendable {
    let counter: Counter
    let number: @Sendable (R) -> Int

    /// - Parameter number: the number that a record has from it.
    package init(_ counter: Counter, number: @escaping @Sendable (R) -> Int) {
        self.counter = counter
        self.number = number
    }
}

/// Finds the one record that has a certain key, and refuses a second.
package struct UniqueIndex<R: Record>: Sendable {
    let name: String
    let steady: (@Sendable (R) -> String)?
    let key: @Sendable (R) -> Key?

    /// - Parameters:
    ///   - steady: the one text of a record that may change and on which its key rests: an update that leaves it as it is
    ///     need not make the key at all.
    ///   - key: a record's key in this index, or nil where the index leaves the record out.
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

/// Lists records in the order of a key; no two records may have the same.
package struct OrderedIndex<R: Record>: Sendable {
    let name: String
    let isCounted: Bool
    let key: @Sendable (R) -> Key?

    /// - Parameters:
    ///   - isCounted: whether the store keeps how many records have the same first component, so that
    ///     `Transaction.count(_:prefix:)` need not visit them. The keys have at least two components then.
    ///   - key: a record's key in this index, or nil where the index leaves the record out.
    package init(_ name: String, isCounted: Bool = false, key: @escaping @Sendable (R) -> Key?) {
        self.name = name
        self.isCounted = isCounted
        self.key = key
    }
}
