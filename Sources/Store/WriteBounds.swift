/// Holds the writes of a transaction to the limits of the store, which are the same for every engine.
package enum WriteBounds {
    /// The bytes that a transaction has written after one more write.
    ///
    /// - Throws: `StoreError.tooLarge` if the key, the value or the transaction exceeds a limit in `Limits`.
    package static func bytes(
        _ bytes: Int,
        adding value: StoredValue,
        at key: StoreKey
    ) throws(StoreError) -> Int {
        guard key.bytes.count <= Limits.keyBytesMax else { throw .tooLarge(bytes: key.bytes.count) }
        guard value.bytes.count <= Limits.valueBytesMax else { throw .tooLarge(bytes: value.bytes.count) }
        let sum = bytes + key.bytes.count + value.bytes.count
        guard sum <= Limits.transactionBytesMax else { throw .tooLarge(bytes: sum) }
        return sum
    }
}
