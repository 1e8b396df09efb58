/// An ordered map in memory: sorted runs of entries, each short enough that adding one moves little.
///
/// Looking up is two binary searches, over the runs and within one. A run that outgrows its bound is cut in two.
struct KeySpace {
    private struct Run {
        var keys: [StoreKey] = []
        var values: [StoredValue] = []

        /// The place of the first key that is not before `key`.
        func place(of key: StoreKey) -> Int {
            keys.withUnsafeBufferPointer { keys in
                firstPlace(in: keys.count) { keys[$0] < key }
            }
        }
    }

    /// Never empty; the first run holds what is before all others.
    private var runs = [Run()]
    private static let runEntriesMax = 256

    /// How many entries there are.
    private(set) var count = 0

    subscript(key: StoreKey) -> StoredValue? {
        let run = runs[runIndex(of: key)]
        let place = run.place(of: key)
        return place < run.keys.count && run.keys[place] == key ? run.values[place] : nil
    }

    /// Sets or, with nil, removes a key's value, and gives the one it had.
    @discardableResult
    mutating func set(_ value: StoredValue?, at key: StoreKey) -> StoredValue? {
        let index = runIndex(of: key)
        let place = runs[index].place(of: key)
        let isThere = place < runs[index].keys.count && runs[index].keys[place] == key
        let previous = isThere ? runs[index].values[place] : nil
        switch (value, isThere) {
        case (let value?, true):
            runs[index].values[place] = value
        case (let value?, false):
            runs[index].keys.insert(key, at: place)
            runs[index].values.insert(value, at: place)
            count += 1
            if runs[index].keys.count > Self.runEntriesMax { cut(index) }
        case (nil, true):
            runs[index].keys.remove(at: place)
            runs[index].values.remove(at: place)
            count -= 1
            if runs[index].keys.isEmpty, runs.count > 1 { runs.remove(at: index) }
        case (nil, false):
            break
        }
        return previous
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
            let start = index == first ? run.place(of: lower) : 0
            let end = index == last ? run.place(of: upper) : run.keys.count
            for step in 0..<max(0, end - start) {
                let place = descending ? end - 1 - step : start + step
                guard try visit(run.keys[place], run.values[place]) else { return }
            }
        }
    }

    /// The run that holds `key`, or would.
    private func runIndex(of key: StoreKey) -> Int {
        guard runs.count > 1 else { return 0 }
        // The first run takes all that is before the second; hence the search leaves its own first key out.
        return runs.withUnsafeBufferPointer { runs in
            firstPlace(in: runs.count - 1) { !(key < runs[$0 + 1].keys[0]) }
        }
    }

    private mutating func cut(_ index: Int) {
        let middle = runs[index].keys.count / 2
        var upper = Run()
        upper.keys = Array(runs[index].keys[middle...])
        upper.values = Array(runs[index].values[middle...])
        runs[index].keys.removeSubrange(middle...)
        runs[index].values.removeSubrange(middle...)
        runs.insert(upper, at: index + 1)
    }
}

/// The first of the places 0..<count for which `isBefore` is false, given that it is true for all earlier ones.
@inline(__always)
private func firstPlace(in count: Int, _ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
        let middle = (low + high) / 2
        if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
}
