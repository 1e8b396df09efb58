import Store

/// The key space of a store: the latest writes, in memory, over sorted bases if there are any.
///
/// A removed key leaves a tombstone, `StoredValue.removal`, which hides the entries of the bases.
struct LayeredSpace {
    private var newer = KeySpace()
    private(set) var bases: Bases

    init(over bases: Bases = Bases([])) {
        self.bases = bases
    }

    /// A copy that another thread can read.
    func copy() throws(StoreError) -> LayeredSpace {
        var copy = self
        copy.bases = try bases.copy()
        return copy
    }

    /// The latest writes and the newest `count` bases. Removals hide entries of the others.
    func newest(bases count: Int) -> LayeredSpace {
        var newest = self
        newest.bases = Bases(Array(bases.all.prefix(count)))
        return newest
    }

    /// Uses the bases of an earlier space in place of equal ones, with what they have cached.
    mutating func keepBases(of earlier: LayeredSpace) {
        bases = Bases(bases.all.map { base in earlier.bases.all.first { $0.file.isSame(as: base.file) } ?? base })
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = newer[key] { return value.isRemoval ? nil : value }
        return try bases.value(of: key)
    }

    /// The same, for a space that is a stored property of a class.
    ///
    /// It changes nothing. It is mutating so that the space is read in place: a nonmutating call on a property of a
    /// class copies the space, and each of its arrays is retained and released.
    mutating func valueInPlace(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = newer[key] { return value.isRemoval ? nil : value }
        return try bases.value(of: key)
    }

    /// The same of a key that is given by its bytes.
    mutating func valueInPlace(at key: UnsafeRawBufferPointer) throws(StoreError) -> StoredValue? {
        if let value = newer[key] { return value.isRemoval ? nil : value }
        return try bases.value(at: key)
    }

    /// Sets a key's value, or removes it if `value` is nil.
    ///
    /// - Returns: the argument with which `restore(_:at:)` undoes the write.
    @discardableResult
    mutating func set(_ value: StoredValue?, at key: StoreKey) -> StoredValue? {
        newer.set(value ?? (bases.all.isEmpty ? nil : .removal), at: key)
    }

    /// The place where a key's value would be set, and its current value. It is mutating for the same reason as
    /// `valueInPlace(of:)`.
    mutating func place(of key: StoreKey) throws(StoreError) -> (place: KeySpace.Place, value: StoredValue?) {
        let place = newer.place(of: key)
        if let value = newer.value(at: place) { return (place, value.isRemoval ? nil : value) }
        return (place, try bases.value(of: key))
    }

    /// Sets a key's value at a known place. Nothing may have been set since the place was looked up.
    mutating func set(_ value: StoredValue, at key: StoreKey, place: KeySpace.Place) -> StoredValue? {
        newer.set(value, at: key, place: place)
    }

    /// Undoes a `set(_:at:)`. Writes must be undone in reverse order.
    mutating func restore(_ previous: StoredValue?, at key: StoreKey) {
        newer.set(previous, at: key)
    }

    /// Calls `visit` with each entry from `lower` up to, but not including, `upper`, in ascending or descending order,
    /// until `visit` returns false.
    ///
    /// - Parameter removals: whether to visit removals too, with the value `StoredValue.removal`.
    /// - Throws: what `visit` throws; `StoreError.damaged`.
    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        removals: Bool = false,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        guard lower < upper else { return }
        var older = try bases.cursor(from: lower, upTo: upper, descending: descending)
        var isDone = false
        try newer.scan(from: lower, upTo: upper, descending: descending) { key, value in
            while let entry = older.entry, descending ? key < entry.key : entry.key < key {
                try older.advance()
                guard try entry.value.isRemoval && !removals || visit(entry.key, entry.value) else {
                    isDone = true
                    return false
                }
            }
            if older.entry?.key == key { try older.advance() }
            isDone = try (!value.isRemoval || removals) && !visit(key, value)
            return !isDone
        }
        while !isDone, let entry = older.entry {
            try older.advance()
            isDone = try (!entry.value.isRemoval || removals) && !visit(entry.key, entry.value)
        }
    }

    /// Calls `visit` with each entry in order, or only with those from `lower` up to, but not including, `upper`.
    func forEach(
        from lower: StoreKey = StoreKey(bytes: []),
        upTo upper: StoreKey = .end,
        removals: Bool = false,
        _ visit: (StoreKey, StoredValue) throws(StoreError) -> Void
    ) throws(StoreError) {
        do {
            try scan(from: lower, upTo: upper, descending: false, removals: removals) { key, value in
                try visit(key, value)
                return true
            }
        } catch let error as StoreError {
            throw error
        } catch {
            preconditionFailure("a scan throws what its visitor does: \(error)")
        }
    }
}

extension StoredValue {
    /// The tombstone of a removed key, in memory and in bases: no value is null. Safe to share: it is never returned to
    /// a caller, so it is never decoded.
    nonisolated(unsafe) fileprivate static let removal = StoredValue(bytes: Array("null".utf8))

    /// Whether it is the tombstone of a removed key.
    var isRemoval: Bool { bytes.count == 4 && bytes[0] == UInt8(ascii: "n") }
}
