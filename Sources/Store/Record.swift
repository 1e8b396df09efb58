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
}

/// The records of one type: their place in the key space and their indexes.
///
/// A class, as every look at a record asks for it, and a struct's members would be counted one by one each time.
package final class Collection<R: Record>: Sendable {
    /// The collection's name, which starts the keys of its records.
    package let name: String
    /// Whether a record's bytes are overwritten in the files once it is deleted: for what must not outlive its use.
    package let isErasable: Bool
    /// What the keys of its records start with.
    let recordPrefix: [UInt8]
    /// The counter that numbers its records; nil where something else does.
    let counter: String?
    /// The counters that other numbers in its records are from.
    let counters: [RecordCounter<R>]
    let indexes: [Index]

    /// One of its indexes, of either kind.
    struct Index: Sendable {
        let name: String
        /// What the keys of its entries start with.
        let prefix: [UInt8]
        let key: @Sendable (R) -> Key?
    }

    /// - Parameters:
    ///   - isNumbered: whether its records are found by numbers of its own, which `Transaction.nextNumber(of:)` gives.
    ///   - counters: where other numbers in its records come from.
    package init(
        _ name: String,
        isNumbered: Bool = false,
        counters: [RecordCounter<R>] = [],
        unique: [UniqueIndex<R>] = [],
        ordered: [OrderedIndex<R>] = [],
        isErasable: Bool = false
    ) {
        self.name = name
        self.recordPrefix = StoreKey.prefix(collection: name, index: StoreKey.recordIndex)
        self.counter = isNumbered ? name : nil
        self.counters = counters
        self.indexes =
            unique.map { Index(name: $0.name, prefix: StoreKey.prefix(collection: name, index: $0.name), key: $0.key) }
            + ordered.map {
                Index(name: $0.name, prefix: StoreKey.prefix(collection: name, index: $0.name), key: $0.key)
            }
        self.isErasable = isErasable
    }
}

/// A counter that gives numbers to something in records; none is given twice.
package struct RecordCounter<R: Record>: Sendable {
    let name: String
    let number: @Sendable (R) -> Int

    /// - Parameters:
    ///   - name: the counter's name, as `Transaction.next(_:)` takes it.
    ///   - number: the number that a record has from it.
    package init(_ name: String, number: @escaping @Sendable (R) -> Int) {
        self.name = name
        self.number = number
    }
}

/// Finds the one record that has a certain key, and refuses a second.
package struct UniqueIndex<R: Record>: Sendable {
    let name: String
    let key: @Sendable (R) -> Key?

    /// - Parameter key: a record's key in this index, or nil where the index leaves the record out.
    package init(_ name: String, key: @escaping @Sendable (R) -> Key?) {
        self.name = name
        self.key = key
    }
}

/// Lists records in the order of a key; no two records may have the same.
package struct OrderedIndex<R: Record>: Sendable {
    let name: String
    let key: @Sendable (R) -> Key?

    /// - Parameter key: a record's key in this index, or nil where the index leaves the record out.
    package init(_ name: String, key: @escaping @Sendable (R) -> Key?) {
        self.name = name
        self.key = key
    }
}
