import Store

/// An ordered map in memory. It consists of sorted runs of entries, each short enough that an insertion moves little.
///
/// A lookup is two binary searches: one over the runs, and one in a run. A run that exceeds its bounds is cut in two.
/// It is a value type: a copy is cheap, and shares every run that is not changed afterwards.
struct KeySpace {
    private struct Run {
        var keys = PackedKeys()
        var values: [StoredValue] = []

        /// The index of the first key that is not less than `key`, and whether that key equals `key`.
        func place(of key: StoreKey) -> (index: Int, isThere: Bool) { keys.place(of: key) }

        /// Whether the run exceeds its bounds.
        var isLong: Bool { (values.count > entriesMax || keys.byteCount > bytesMax) && values.count > 1 }

        mutating func set(_ value: StoredValue?, at key: StoreKey, place: Place) -> StoredValue? {
            let index = place.index
            guard let value else {
                guard place.isThere else { return nil }
                keys.remove(at: index)
                return values.remove(at: index)
            }
            guard place.isThere else {
                keys.insert(key, at: index)
                values.insert(value, at: index)
                return nil
            }
            let previous = values[index]
            values[index] = value
            return previous
        }
    }

    /// A position among the runs. It is valid until the next `set`.
    struct Place {
        fileprivate let run: Int
        fileprivate let index: Int
        fileprivate let isThere: Bool
    }

    /// Never empty. The first run holds the keys that are less than all others.
    private var runs = [Run()]
    /// The lower bounds of all runs except the first: a run contains no key less than its bound.
    private var heads = PackedKeys()
    private static let entriesMax = 256
    private static let bytesMax = 32 << 10

    /// The number of entries.
    private(set) var count = 0

    subscript(key: StoreKey) -> StoredValue? {
        key.bytes.withUnsafeBytes { self[$0] }
    }

    /// The value of a key that is given by its bytes.
    subscript(key: UnsafeRawBufferPointer) -> StoredValue? {
        let index = runIndex(of: key)
        // Read in place: taking the run out of the array would retain and release each of its arrays.
        return runs.withUnsafeBufferPointer { runs in
            let place = runs[index].keys.place(of: key)
            return place.isThere ? runs[index].values[place.index] : nil
        }
    }

    /// Sets a key's value, or removes it if `value` is nil, and returns the previous value.
    @discardableResult
    mutating func set(_ value: StoredValue?, at key: StoreKey) -> StoredValue? {
        set(value, at: key, place: place(of: key))
    }

    /// The same, if the key's place was looked up already and nothing has been set since.
    mutating func set(_ value: StoredValue?, at key: StoreKey, place: Place) -> StoredValue? {
        let previous = runs[place.run].set(value, at: key, place: place)
        count += (value == nil ? 0 : 1) - (previous == nil ? 0 : 1)
        if runs[place.run].isLong {
            cut(place.run)
        } else if runs[place.run].values.isEmpty, runs.count > 1 {
            remove(place.run)
        }
        return previous
    }

    /// The place where a key is, or would be inserted.
    func place(of key: StoreKey) -> Place {
        let run = runIndex(of: key)
        // In place, as in the subscript.
        let (index, isThere) = runs.withUnsafeBufferPointer { $0[run].keys.place(of: key) }
        return Place(run: run, index: index, isThere: isThere)
    }

    /// The value at a place.
    func value(at place: Place) -> StoredValue? {
        guard place.isThere else { return nil }
        return runs.withUnsafeBufferPointer { $0[place.run].values[place.index] }
    }

    /// Calls `visit` with each entry from `lower` up to, but not including, `upper`, in ascending or descending order,
    /// until `visit` returns false.
    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) rethrows {
        guard lower < upper else { return }
        let (first, last) = (runIndex(of: lower), runIndex(of: upper))
        let order = descending ? stride(from: last, through: first, by: -1) : stride(from: first, through: last, by: 1)
        for index in order {
            let run = runs[index]
            let start = index == first ? run.place(of: lower).index : 0
            let end = index == last ? run.place(of: upper).index : run.values.count
            for step in 0..<max(0, end - start) {
                let place = descending ? end - 1 - step : start + step
                guard try visit(run.keys[place], run.values[place]) else { return }
            }
        }
    }

    /// The index of the run that holds `key`, or would hold it.
    private func runIndex(of key: StoreKey) -> Int {
        key.bytes.withUnsafeBytes { runIndex(of: $0) }
    }

    private func runIndex(of key: UnsafeRawBufferPointer) -> Int {
        guard runs.count > 1 else { return 0 }
        let (index, isThere) = heads.place(of: key)
        return isThere ? index + 1 : index
    }

    private mutating func cut(_ index: Int) {
        let middle = runs[index].values.count / 2
        var upper = Run()
        upper.keys = runs[index].keys.cut(at: middle)
        upper.values = Array(runs[index].values[middle...])
        runs[index].values.removeSubrange(middle...)
        runs.insert(upper, at: index + 1)
        heads.insert(upper.keys[0], at: index)
    }

    private mutating func remove(_ index: Int) {
        runs.remove(at: index)
        // If the first run is removed, the next run takes its place, and holds the keys that are less than all others.
        heads.remove(at: max(0, index - 1))
    }
}
