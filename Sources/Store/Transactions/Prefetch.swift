/// What a transaction is going to read. An engine that asks a server for values then asks for all of it at once.
///
/// What is announced and not read costs only work of the server. What is read and was not announced costs a round trip.
package struct Prefetch {
    /// A number of a counter, which is drawn if the conditions hold: a number that is drawn and not used is lost.
    package struct Number {
        package let counter: Counter
        /// A key that must exist; nil for none.
        package let present: StoreKey?
        /// A key that must not exist; nil for none.
        package let absent: StoreKey?
    }

    /// An entry of a unique index, which is read with the record behind it and that record's companions.
    package struct Entry {
        package let key: StoreKey
        /// The prefix of the keys of the records behind the index.
        package let prefix: [UInt8]
        package let companions: [Companion]
    }

    /// A record whose key contains the key of a record that is only found by an index.
    package struct Companion {
        /// What is before the key of the found record.
        package let before: [UInt8]
        /// What is after it.
        package let after: [UInt8]

        /// A record whose key is `before`/KEY/`after`, where KEY is the key of the found record.
        package init<R: Record>(_ type: R.Type, before: Key, after: Key? = nil) {
            let slash = [UInt8(ascii: "/")]
            self.before = R.collection.recordPrefix + before.bytes + slash
            self.after = after.map { slash + $0.bytes } ?? []
        }
    }

    /// The keys of records.
    package private(set) var keys: [StoreKey] = []
    /// Entries of unique indexes.
    package private(set) var entries: [Entry] = []
    /// Parts of ordered indexes.
    package private(set) var scans: [IndexScan] = []
    /// Numbers of counters.
    package private(set) var numbers: [Number] = []

    package init() {}

    /// Announces `Transaction.get`.
    package mutating func get<R: Record>(_ type: R.Type, _ key: Key) {
        keys.append(StoreKey(R.self, key))
    }

    /// Announces `Transaction.find`, and then `Transaction.get` of the companions of what it finds.
    package mutating func find<R: Record>(_ index: UniqueIndex<R>, _ key: Key, with companions: [Companion] = []) {
        let prefix = R.collection.recordPrefix
        entries.append(Entry(key: index.entry(of: key), prefix: prefix, companions: companions))
    }

    /// Announces `Transaction.scan` with the same arguments.
    package mutating func scan<R: Record>(
        _ index: OrderedIndex<R>,
        prefix: Key? = nil,
        from lower: Key? = nil,
        before upper: Key? = nil,
        descending: Bool = false,
        limit: Int = .max
    ) {
        scans.append(
            IndexScan(of: index, prefix: prefix, from: lower, before: upper, descending: descending, limit: limit)
        )
    }

    /// Announces `Transaction.next`.
    package mutating func next(_ counter: Counter, present: StoreKey? = nil, absent: StoreKey? = nil) {
        numbers.append(Number(counter: counter, present: present, absent: absent))
    }

    /// Announces `Transaction.nextNumber(of:)`.
    package mutating func nextNumber<R: Record>(of type: R.Type, present: StoreKey? = nil, absent: StoreKey? = nil) {
        if let counter = R.collection.counter { next(counter, present: present, absent: absent) }
    }
}

/// For engines.
extension Prefetch {
    /// Adds what another list announces.
    package mutating func add(_ other: Prefetch) {
        keys += other.keys
        entries += other.entries
        scans += other.scans
        numbers += other.numbers
    }

    /// Adds keys.
    package mutating func add(keys others: some Sequence<StoreKey>) { keys += others }

    /// Adds an entry of a unique index.
    package mutating func add(entry: StoreKey, prefix: [UInt8]) {
        entries.append(Entry(key: entry, prefix: prefix, companions: []))
    }

    /// The list without the keys and entries that `isUnknown` excludes.
    package func filtered(_ isUnknown: (StoreKey) -> Bool) -> Prefetch {
        var list = self
        list.keys = keys.filter(isUnknown)
        list.entries = entries.filter { isUnknown($0.key) }
        return list
    }
}

extension UniqueIndex {
    /// The key of the entry with a key of the index.
    package func entry(of key: Key) -> StoreKey {
        StoreKey(prefix: R.collection.prefix(ofIndex: name), key)
    }
}

extension IndexScan {
    /// A part of an index, as `Transaction.scan` takes it.
    init<R: Record>(
        of index: OrderedIndex<R>,
        prefix: Key?,
        from lower: Key?,
        before upper: Key?,
        descending: Bool,
        offset: Int = 0,
        limit: Int
    ) {
        self.init(
            bounds: KeyBounds(
                collection: R.collection.name,
                index: index.name,
                prefix: prefix,
                from: lower,
                before: upper
            ),
            recordPrefix: R.collection.recordPrefix,
            descending: descending,
            offset: offset,
            limit: limit
        )
    }
}
