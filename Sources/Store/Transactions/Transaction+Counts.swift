// The number of records that an index has under one first component, such as the patients of a user, is kept in an
// entry of its own. Its key has the index name with `-count`. It changes in the same transaction as the index:
//
//     care.shares/user/0000000017/0000000123      "0000000456"
//     care.shares/user-count/0000000017           1
//
// If there is no such entry, the count is not kept yet, as in a store of an earlier version. A caller then counts the
// entries one by one, and the next change of the index adds the count. A count of 0 is not kept.

/// Counting.
extension Transaction {
    /// The number of records in a collection, counted one by one.
    package func count<R: Record>(_ type: R.Type) throws -> Int {
        try entries(
            in: KeyBounds(collection: R.collection.name, index: StoreKey.recordIndex, prefix: nil, from: nil)
        )
    }

    /// Whether the store has no records at all, as a new one. It reads one key, and needs no record type.
    package var isEmpty: Bool {
        get throws {
            var isEmpty = true
            try engine.scan(from: StoreKey(bytes: []), upTo: .end, descending: false, limit: 1) { _, _ in
                isEmpty = false
                return false
            }
            return isEmpty
        }
    }

    /// The number of records that an ordered index has under a first component. If the index is counted, one value is
    /// read. Otherwise the entries are counted one by one, but no record is read.
    package func count<R: Record>(_ index: OrderedIndex<R>, prefix: Key) throws -> Int {
        if let key = R.collection.index(named: index.name)?.countKey(of: prefix), let kept = try keptCount(at: key) {
            return kept
        }
        return try entries(
            in: KeyBounds(collection: R.collection.name, index: index.name, prefix: prefix, from: nil)
        )
    }

    /// Updates the count of an index after an entry was added or removed.
    func keepCount(_ change: Int, of entry: StoreKey, in index: CollectionIndex) throws {
        guard let group = index.group(of: entry), let key = index.countKey(of: group) else { return }
        let kept = try keptCount(at: key)
        try setCount(kept.map { $0 + change } ?? entries(in: KeyBounds(of: index, group: group)), at: key)
    }

    /// Adds the count that includes an entry, if the count does not exist yet.
    func makeCount(of entry: StoreKey, in index: CollectionIndex) throws {
        guard let group = index.group(of: entry), let key = index.countKey(of: group), try keptCount(at: key) == nil
        else { return }
        try setCount(entries(in: KeyBounds(of: index, group: group)), at: key)
    }

    private func setCount(_ count: Int, at key: StoreKey) throws {
        if count > 0 {
            try engine.put(StoredValue(number: count), at: key, isErasable: false)
        } else {
            try engine.remove(key)
        }
    }

    private func keptCount(at key: StoreKey) throws -> Int? {
        guard let value = try engine.value(of: key) else { return nil }
        guard let count = value.number, count > 0 else {
            throw StoreError.damaged(file: key.text, offset: 0, reason: "a count is no whole number above 0")
        }
        return count
    }

    private func entries(in bounds: KeyBounds) throws -> Int {
        var count = 0
        try engine.scan(from: bounds.lower, upTo: bounds.upper, descending: false, limit: .max) { _, _ in
            count += 1
            return true
        }
        return count
    }
}
