package import Store

/// The current transaction.
extension LocalEngine: EngineTransaction {
    package func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        try space.valueInPlace(of: key)
    }

    package func value(at key: UnsafeRawBufferPointer) throws(StoreError) -> StoredValue? {
        try space.valueInPlace(at: key)
    }

    package func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        limit: Int,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        try space.scan(from: lower, upTo: upper, descending: descending, visit)
    }

    package func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        try checkWritable()
        transactionBytes = try WriteBounds.bytes(transactionBytes, adding: value, at: key)
        let previous = space.set(value, at: key)
        staged.append(StagedWrite(key: key, value: value, previous: previous, isErasable: isErasable))
    }

    package func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool {
        let (place, current) = try space.place(of: key)
        guard current == nil else { return false }
        try set(value, at: key, place, isErasable: isErasable)
        return true
    }

    package func change(
        _ key: StoreKey,
        isErasable: Bool,
        _ change: (StoredValue?) throws -> StoredValue
    ) throws {
        let stagedBefore = staged.count
        let (place, current) = try space.place(of: key)
        let value = try change(current)
        // If `change` has set other keys, the place may no longer be valid.
        guard staged.count == stagedBefore else { return try put(value, at: key, isErasable: isErasable) }
        try set(value, at: key, place, isErasable: isErasable)
    }

    package func next(_ counter: Counter) throws(StoreError) -> Int {
        let (place, current) = try space.place(of: counter.key)
        let next = try counter.next(after: current)
        try set(StoredValue(number: next), at: counter.key, place, isErasable: false)
        return next
    }

    /// Sets a key's value at a known place. Nothing may have been set since the place was looked up.
    private func set(
        _ value: StoredValue,
        at key: StoreKey,
        _ place: KeySpace.Place,
        isErasable: Bool
    ) throws(StoreError) {
        try checkWritable()
        transactionBytes = try WriteBounds.bytes(transactionBytes, adding: value, at: key)
        let previous = space.set(value, at: key, place: place)
        staged.append(StagedWrite(key: key, value: value, previous: previous, isErasable: isErasable))
    }

    package func remove(_ key: StoreKey) throws(StoreError) {
        guard try space.value(of: key) != nil else { return }
        try checkWritable()
        let previous = space.set(nil, at: key)
        staged.append(StagedWrite(key: key, value: nil, previous: previous, isErasable: false))
    }

    private func checkWritable() throws(StoreError) {
        guard isWriting else { throw .writeInRead }
        // A write transaction takes the lock, except in a directory that cannot be written.
        guard directory?.isLocked ?? true else { throw .readOnly }
    }
}
