package import Platform

/// Why the store could not do what it was asked to.
package enum StoreError: Error, Equatable, Sendable {
    /// Another process has held the directory's lock for too long.
    case busy(String)
    /// A file does not hold what was written to it; nothing of it is used.
    case damaged(file: String, offset: Int, reason: String)
    /// The disk, or the quota on it, is full; nothing was written, and writing works again when there is room.
    case diskFull
    /// The directory can be read but not written.
    case readOnly
    /// The system refused a call; `outcomeUnknown` where what was being written may or may not be on disk.
    case systemCall(name: String, SystemError, outcomeUnknown: Bool)
    /// The user of this process may not do that to a file, which belongs to the user `owner`.
    case denied(path: String, owner: Int, user: Int)
    /// Another process holds the directory's lock just now; the request can be tried again until `busy` is thrown.
    case locked
    /// The directory was written by a newer version of the program.
    case newerFormat(Int)
    /// The directory at a path holds no store, or is not there.
    case noStore(String)
    /// The directory at a path holds other files and no store: the path, and the name of one of the files.
    case notAStore(String, holding: String)
    /// There is something already where a new store is to go: its path.
    case exists(String)
    /// A path that does not end in the name of a directory, where a new store is to go.
    case unnamed(String)
    /// A path in the directory of another store, where a new store cannot go.
    case withinStore(String)
    /// The directory is on a file system whose locks cannot be relied on: its name.
    case untrustedFileSystem(String)
    /// A unique index holds that key already.
    case duplicate(index: String)
    /// There is no such record to change.
    case missing(key: String)
    /// A counter has given its last number.
    case usedUp(counter: String)
    /// A record or a transaction is larger than the store takes.
    case tooLarge(bytes: Int)
}

extension StoreError: CustomStringConvertible {
    /// What happened, in a sentence for people, without the full stop.
    package var description: String {
        switch self {
        case .busy(let text): text
        case .damaged(let file, let offset, let reason): "\(file) is damaged at byte \(offset): \(reason)"
        case .diskFull: "the disk, or the quota on it, is full"
        case .readOnly: "the directory cannot be written to"
        case .systemCall(let name, let error, let outcomeUnknown):
            "\(name): \(error)"
                + (outcomeUnknown ? "; whether the last writes were kept will show when the store is next opened" : "")
        case .denied(let path, let owner, let user):
            "uid \(user) has no permission for \(path), which belongs to uid \(owner)"
        case .locked: "another process holds the lock of the directory"
        case .newerFormat(let format): "the directory has format \(format), made by a newer version of the program"
        case .noStore(let path): "there is no store at \(path)"
        case .notAStore(let path, let name):
            "\(path) holds \(name) and no store; a store is made in a new or empty directory"
        case .exists(let path): "there is something at \(path) already; a new store goes where there is nothing"
        case .unnamed(let path):
            "a new store gets the name that its path ends in, and \(path.isEmpty ? "an empty path" : path) ends in none; "
                + "write the name of its directory, as in ./postern-data"
        case .withinStore(let path):
            "\(path) is within the directory of a store, which holds the files of that store only"
        case .untrustedFileSystem(let name):
            "the directory is on \(name), where locks cannot be relied on; if you know that they can, say --trust-locks"
        case .duplicate(let index): "another record has that key in the index \(index)"
        case .missing(let key): "there is no record \(key)"
        case .usedUp(let counter): "\(counter) has given its last number"
        case .tooLarge(let bytes): "\(bytes) bytes are more than the store takes at once"
        }
    }
}

extension StoreError {
    /// The store's error for a failed system call.
    ///
    /// - Parameter call: the call and what it was made for, as in `open manifest.json`.
    static func failed(_ call: String, _ error: SystemError) -> StoreError {
        switch error {
        case .noSpace, .quotaExceeded, .fileTooLarge: .diskFull
        case .readOnlyFileSystem: .readOnly
        default: .systemCall(name: call, error, outcomeUnknown: false)
        }
    }
}

extension SystemError {
    /// Whether the user of this process has no permission.
    var isDenial: Bool { self == .permissionDenied || self == .notPermitted }
}
