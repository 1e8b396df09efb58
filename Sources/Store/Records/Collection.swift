/// The parts of a collection that do not depend on the type of its records.
///
/// It is a class because every read of a record uses it: copying a struct would retain each of its properties. It is
/// not generic because generic code looks up its types each time it runs.
package class AnyCollection: @unchecked Sendable {
    /// The collection's name, with which the keys of its records start.
    package let name: String
    /// Whether a record's bytes are overwritten in the files after it is deleted, for data that must not be kept.
    package let isErasable: Bool
    /// Whether its records may be substitutes for deleted records; see `RecordFindings.reportSubstitute(for:_:)`.
    package let canBeSubstitute: Bool
    /// The prefix of the keys of its records.
    package let recordPrefix: [UInt8]
    /// The counter that numbers its records; nil if they are not numbered.
    package let counter: Counter?
    /// The unique indexes, then the ordered ones.
    package let indexes: [CollectionIndex]

    /// Safe to share: all properties of this class and of `Collection` are constant.
    fileprivate init(
        _ name: String,
        isNumbered: Bool,
        isErasable: Bool,
        canBeSubstitute: Bool,
        indexes: [CollectionIndex]
    ) {
        self.name = name
        self.isErasable = isErasable
        self.canBeSubstitute = canBeSubstitute
        self.recordPrefix = StoreKey.prefix(collection: name, index: StoreKey.recordIndex)
        self.counter = isNumbered ? Counter(name) : nil
        self.indexes = indexes
    }

    /// The index with that name.
    package func index(named name: String) -> CollectionIndex? {
        for index in indexes where index.name == name { return index }
        return nil
    }

    /// The prefix of the keys of an index's entries.
    package func prefix(ofIndex name: String) -> [UInt8] {
        index(named: name)?.prefix ?? StoreKey.prefix(collection: self.name, index: name)
    }
}

/// The records of one type: their place in the key space and their indexes.
package final class Collection<R: Record>: AnyCollection, @unchecked Sendable {
    /// The counters from which other numbers in its records come.
    package let counters: [RecordCounter<R>]
    /// Cached, because looking up a generic class takes longer than creating an object of it.
    private let storedType = StoredRecord<R>.self

    /// - Parameters:
    ///   - isNumbered: whether the keys of its records are numbers from a counter of its own, as
    ///     `Transaction.nextNumber(of:)` returns them.
    ///   - counters: the counters from which other numbers in its records come.
    ///   - canBeSubstitute: whether its records may be substitutes for deleted records that others need.
    package init(
        _ name: String,
        isNumbered: Bool = false,
        counters: [RecordCounter<R>] = [],
        unique: [UniqueIndex<R>] = [],
        ordered: [OrderedIndex<R>] = [],
        isErasable: Bool = false,
        canBeSubstitute: Bool = false
    ) {
        self.counters = counters
        let indexes =
            unique.map { CollectionIndex($0.name, of: name, steady: $0.steady, isCounted: false, key: $0.key) }
            + ordered.map { CollectionIndex($0.name, of: name, steady: nil, isCounted: $0.isCounted, key: $0.key) }
        super.init(
            name,
            isNumbered: isNumbered,
            isErasable: isErasable,
            canBeSubstitute: canBeSubstitute,
            indexes: indexes
        )
    }

    /// A record in the form in which a stored value keeps it.
    package func stored(_ record: consuming R) -> StoredRecord<R> { storedType.init(record) }
}
