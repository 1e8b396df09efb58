/// The range of the key space that a scan visits.
package struct KeyBounds: Equatable {
    /// The first key of the range, whether it exists or not.
    package let lower: StoreKey
    /// The first key after the range.
    package let upper: StoreKey

    /// The entries of an index, or the records of a collection.
    ///
    /// - Parameters:
    ///   - index: the index; `StoreKey.recordIndex` for the records.
    ///   - prefix: the first components of the keys; nil for all.
    ///   - start: the lowest key of the range; nil for the first key with the prefix.
    ///   - end: the first key after the range; nil for the first one after all keys with the prefix.
    package init(collection: String, index: String, prefix: Key?, from start: Key?, before end: Key? = nil) {
        var lower = StoreKey.prefix(collection: collection, index: index)
        let keyStart = lower.count
        if let prefix {
            lower.append(contentsOf: prefix.bytes)
            // The slash separates 17/… from 170/….
            lower.append(UInt8(ascii: "/"))
        }
        // Incrementing the final slash gives the first key after all keys with the prefix.
        var upper = lower
        upper[upper.count - 1] += 1
        if let start { lower.replaceSubrange(keyStart..., with: start.bytes) }
        if let end { upper.replaceSubrange(keyStart..., with: end.bytes) }
        self.lower = StoreKey(bytes: lower)
        self.upper = StoreKey(bytes: upper)
    }

    /// The entries of an index that have the same first component.
    package init(of index: CollectionIndex, group: Key) {
        var lower = index.prefix + group.bytes + [UInt8(ascii: "/")]
        self.lower = StoreKey(bytes: lower)
        lower[lower.count - 1] += 1
        upper = StoreKey(bytes: lower)
    }
}
