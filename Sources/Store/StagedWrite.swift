/// One write of a transaction that is not durable yet, with what it replaced.
struct StagedWrite {
    let key: StoreKey
    /// The new value; nil where the key was removed.
    let value: StoredValue?
    let previous: StoredValue?
    let isErasable: Bool
}
