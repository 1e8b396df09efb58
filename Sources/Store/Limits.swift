/// What the store takes at most, each with its unit last in its name.
package enum Limits {
    /// The bytes of one value: a record as it is written.
    package static let valueBytesMax = 1 << 20
    /// The bytes of one key of the key space.
    package static let keyBytesMax = 4096
    /// The bytes of all keys and values that one transaction writes.
    package static let transactionBytesMax = 64 << 20
    /// The bytes of a manifest, or of a journal's header line; nothing longer is read as one.
    static let headerBytesMax = 4096
    /// The bytes of an output buffer that is kept for the next write.
    static let outputBytesKept = 4 << 20
    /// What a disk writes wholly or not at all; a hole that a power cut leaves begins and ends at a multiple of it.
    static let sectorBytes = 512
}
