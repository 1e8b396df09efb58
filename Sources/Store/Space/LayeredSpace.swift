/// The key space of a store: what was written lately, in memory, over a sorted base, where there is one.
///
/// A removed key leaves a mark behind, `StoredValue.removal`, that hides what the base has for it.
struct LayeredSpace {
    private var newer = KeySpace()
    private(set) var base: Base?

    init(over base: Base? = nil) {
        self.base = base
    }

    /// The same, for another thread to read.
    func copy() throws(StoreError) -> LayeredSpace {
        var copy = self
        copy.base = try base.map { base throws(StoreError) in try Base(base.file) }
        return copy
    }

    func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = newer[key] { return value.isRemoval ? nil : value }
        return try base?.value(of: key)
    }

    /// The same, of a space that is a class's member.
    ///
    /// It changes nothing, and is mutating so that the space is looked at where it is: a reader of a class's member is
    /// handed a copy, with a count for each of its arrays.
    mutating func valueInPlace(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = newer[key] { return value.isRemoval ? nil : value }
        return try base?.value(of: key)
    }

    /// Sets or, with nil, removes a key's value.
    ///
    /// - Returns: what `restore(_:at:)` takes to undo it.
    @discardableResult
    mutating func set(_ value: StoredValue?, at key: StoreKey) -> StoredValue? {
        newer.set(value ?? (base == nil ? nil : .removal), at: key)
    }

    /// Where a key is to be set, and the value that it has. It is mutating as `valueInPlace(of:)` is.
    mutating func place(of key: StoreKey) throws(StoreError) -> (place: KeySpace.Place, value: StoredValue?) {
        let place = newer.place(of: key)
        if let value = newer.value(at: place) { return (place, value.isRemoval ? nil : value) }
        return (place, try base?.value(of: key))
    }

    /// Sets a key's value where its place is known, and nothing has been set since it was looked for.
    mutating func set(_ value: StoredValue, at key: StoreKey, place: KeySpace.Place) -> StoredValue? {
        newer.set(value, at: key, place: place)
    }

    /// Undoes a `set(_:at:)`, the last one first.
    mutating func restore(_ previous: StoredValue?, at key: StoreKey) {
        newer.set(previous, at: key)
    }

    /// Calls `visit` with each entry from `lower` up to, not including, `upper`, in order or backwards, until it answers
    /// false.
    ///
    /// - Throws: what `visit` throws; `StoreError.damaged`.
    func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        guard lower < upper else { return }
        guard let base else { return try newer.scan(from: lower, upTo: upper, descending: descending, visit) }
        var older = try base.cursor(from: lower, upTo: upper, descending: descending)
        var isDone = false
        try newer.scan(from: lower, upTo: upper, descending: descending) { key, value in
            while let entry = older.entry, descending ? key < entry.key : entry.key < key {
                try older.advance()
                guard try visit(entry.key, entry.value) else {
                    isDone = true
                    return false
                }
            }
            if older.entry?.key == key { try older.advance() }
            isDone = try !value.isRemoval && !visit(key, value)
            return !isDone
        }
        while !isDone, let entry = older.entry {
            try older.advance()
            isDone = try !visit(entry.key, entry.value)
        }
    }

    /// Calls `visit` with each entry, or with those from `lower` up to, not including, `upper`, in order.
    func forEach(
        from lower: StoreKey = StoreKey(bytes: []),
        upTo upper: StoreKey = .end,
        _ visit: (StoreKey, StoredValue) throws(StoreError) -> Void
    ) throws(StoreError) {
        do {
            try scan(from: lower, upTo: upper, descending: false) { key, value in
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
    /// Stands for a key that was removed. Safe to share: it is never handed out, so that nobody decodes it.
    nonisolated(unsafe) fileprivate static let removal = StoredValue(bytes: [])

    fileprivate var isRemoval: Bool { bytes.isEmpty }
}
