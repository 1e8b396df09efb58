/// An ordered map in memory: sorted runs of entries, each short enough that adding one moves little.
///
/// Looking up is two binary searches, over the runs and within one. A run that outgrows its bounds is cut in two. It is a
/// value: a copy costs next to nothing, and shares all runs that are not changed afterwards.
struct KeySpace {
    private struct Run {
        var keys = PackedKeys()
        var values: [StoredValue] = []

        /// The place of the first key that is not before `key`, and whether it is that key.
        func place(of key: StoreKey) -> (index: Int, isThere: Bool) { keys.place(of: key) }

        /// Whether it has outgrown its bounds.
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

    /// A place among the runs: good until something is set.
    struct Place {
        fileprivate let run: Int
        fileprivate let index: Int
        fileprivate let isThere: Bool
    }

    /// Never empty; the first run holds what is before all others.
    private var runs = [Run()]
    /// What the runs but the first begin with, or began with once: nothing before it is in them.
    private var heads = PackedKeys()
    private static let entriesMax = 256
    private static let bytesMax = 32 << 10

    /// How many entries there are.
    private(set) var count = 0

    subscript(key: StoreKey) -> StoredValue? {
        let index = runIndex(of: key)
        // Looked at where they are: taken out, a run's parts would be counted one by one.
        return runs.withUnsafeBufferPointer { runs in
            let place = runs[index].keys.place(of: key)
            return place.isThere ? runs[index].values[place.index] : nil
        }
    }

    /// Sets or, with nil, removes a key's value, and gives the one it had.
    @discardableResult
    mutating func set(_ value: StoredValue?, at key: StoreKey) -> StoredValue? {
        set(value, at: key, place: place(of: key))
    }

    /// The same, where the key's place was looked for already and nothing has been set since.
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

    /// Where a key stands, or would.
    func place(of key: StoreKey) -> Place {
        let run = runIndex(of: key)
        let (index, isThere) = runs[run].place(of: key)
        return Place(run: run, index: index, isThere: isThere)
    }

    /// The value at a place.
    func value(at place: Place) -> StoredValue? {
        place.isThere ? runs[place.run].values[place.index] : nil
    }

    /// Calls `visit` with each entry from `lower` up to, not including, `upper`, in order or backwards, until it answers
    /// false.
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

    /// The run that holds `key`, or would.
    private func runIndex(of key: StoreKey) -> Int {
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
        // Where the first run goes, the next one takes its place, and all that is before it.
        heads.remove(at: max(0, index - 1))
    }
}
