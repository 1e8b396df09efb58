/// Why the store could not do what it was asked to.
package enum StoreError: Error, Equatable, Sendable {
    /// Another process has the directory open.
    case busy(String)
    /// A file does not hold what was written to it; nothing of it is used.
    case damaged(file: String, offset: Int, reason: String)
    /// The disk, or the quota on it, is full; nothing was written, and writing works again when there is room.
    case diskFull
    /// The directory can be read but not written.
    case readOnly
    /// The system refused a call; `outcomeUnknown` where what was being written may or may not be on disk.
    case systemCall(name: String, errno: Int32, outcomeUnknown: Bool)
    /// The directory was written by a newer version of the program.
    case newerFormat(Int)
    /// A unique index holds that key already.
    case duplicate(index: String)
    /// There is no such record to change.
    case missing(key: String)
    /// A record or a transaction is larger than the store takes.
    case tooLarge(bytes: Int)
}
