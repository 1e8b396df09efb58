import Store

/// The bases of a store, the newest first. An entry of a base hides the entries of older bases with the same key; a
/// removal hides them too, and is no entry itself.
///
/// Only one thread may use it.
final class Bases {
    let all: [Base]
    private var recent = RecentValues()

    init(_ all: [Base]) {
        self.all = all
    }

    convenience init(files: [BaseFile]) throws(StoreError) {
        self.init(try files.map { file throws(StoreError) in try Base(file) })
    }

    /// The same bases, for another thread.
    func copy() throws(StoreError) -> Bases {
        try Bases(files: all.map(\.file))
    }

    /// The value of a key that is given by its bytes. If it is cached, no memory is allocated.
    func value(at key: UnsafeRawBufferPointer) throws(StoreError) -> StoredValue? {
        guard !all.isEmpty else { return nil }
        let fingerprint = KeyFingerprint(of: key)
        if let value = recent.value(at: key, fingerprint) { return value }
        return try value(of: StoreKey(bytes: Array(key)), fingerprint)
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        guard !all.isEmpty else { return nil }
        let fingerprint = KeyFingerprint(of: key)
        if let value = recent.value(of: key, fingerprint) { return value }
        return try value(of: key, fingerprint)
    }

    private func value(of key: StoreKey, _ fingerprint: KeyFingerprint) throws(StoreError) -> StoredValue? {
        for base in all {
            guard let value = try base.value(of: key, fingerprint) else { continue }
            guard !value.isRemoval else { return nil }
            recent.note(value, of: key, fingerprint)
            return value
        }
        return nil
    }

    /// Whether a key has a value, or may have one because a base is damaged.
    func mayHave(_ key: StoreKey) -> Bool {
        do throws(StoreError) {
            return try value(of: key) != nil
        } catch {
            return true
        }
    }

    /// Removes the files from the memory of this process, for a reader that goes through all of them.
    func releaseFiles() {
        for base in all { base.file.release(base.file.entries) }
    }

    /// A cursor over the entries and removals from `lower` up to, but not including, `upper`.
    func cursor(from lower: StoreKey, upTo upper: StoreKey, descending: Bool) throws(StoreError) -> BasesCursor {
        BasesCursor(
            over: try all.map { base throws(StoreError) in
                try base.cursor(from: lower, upTo: upper, descending: descending)
            },
            descending: descending
        )
    }
}

/// Iterates over adjacent entries of bases, each key once.
struct BasesCursor {
    /// The newest base first.
    private var cursors: [BaseCursor]
    private let isDescending: Bool
    /// The index of the cursor with the current entry; nil at the end.
    private var current: Int?

    fileprivate init(over cursors: [BaseCursor], descending: Bool) {
        self.cursors = cursors
        isDescending = descending
        current = next
    }

    /// The current entry, which may be a removal; nil at the end.
    var entry: (key: StoreKey, value: StoredValue)? { current.flatMap { cursors[$0].entry } }

    /// Moves to the next entry, or to the previous one if descending.
    mutating func advance() throws(StoreError) {
        guard let current, let key = cursors[current].entry?.key else { return }
        // The older entries of the same key are hidden.
        for index in cursors.indices.dropFirst(current) where cursors[index].entry?.key == key {
            try cursors[index].advance()
        }
        self.current = next
    }

    /// The first of the cursors whose key comes next.
    private var next: Int? {
        var (next, nextKey): (Int?, StoreKey?) = (nil, nil)
        for index in cursors.indices {
            guard let key = cursors[index].entry?.key else { continue }
            if let nextKey, isDescending ? key <= nextKey : nextKey <= key { continue }
            (next, nextKey) = (index, key)
        }
        return next
    }
}
