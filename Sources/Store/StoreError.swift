package import Platform

/// Why an operation of the store failed.
package enum StoreError: Error, Equatable, Sendable {
    /// Another process has held the directory lock for too long.
    case busy(String)
    /// A file does not have the contents that were written to it. None of it is used.
    case damaged(file: String, offset: Int, reason: String)
    /// A write failed because the disk or its quota is full, or the file would exceed the process's limit. Nothing was
    /// written, and writing works again when there is room. A failed sync is `systemCall`.
    case diskFull
    /// The disk of the store's server is full. Nothing was written, and writing works again when there is room.
    case serverDiskFull
    /// The directory can be read but not written, because of its permissions or because of its file system.
    case readOnly
    /// A write within a transaction that may only read.
    case writeInRead
    /// The system refused a call; `outcomeUnknown` where what was being written may or may not be on disk.
    case systemCall(name: String, SystemError, outcomeUnknown: Bool)
    /// The user of this process may not do that to a file, which belongs to the user `owner`.
    case denied(path: String, owner: Int, user: Int)
    /// Another process holds the directory lock at the moment. The request can be retried until `busy` is thrown.
    case locked
    /// The directory was written by a newer version of the program.
    case newerFormat(Int)
    /// The directory at a path has no store, or does not exist.
    case noStore(String)
    /// The directory at a path has other files and no store. The values are the path and the name of one of the files.
    case notAStore(String, holding: String)
    /// The path of a new store is already used.
    case exists(String)
    /// The path of a new store does not end with the name of a directory.
    case unnamed(String)
    /// The path of a new store is in the directory of another store.
    case withinStore(String)
    /// The directory is on a file system whose locks are not reliable. The value is the name of the file system.
    case untrustedFileSystem(String)
    /// The server of the store cannot be reached, or did not answer in time. Nothing was written.
    case unavailable(String, retryAfterSeconds: Int)
    /// The transaction met other transactions, each time that it was run. Nothing was written.
    case contended(runs: Int, retryAfterSeconds: Int)
    /// The connection to the server was lost in a commit, and it could not be found out whether it took effect.
    case outcomeUnknown(String)
    /// The server of the store refused what the engine asked for. Nothing was written.
    case serverFailed(String)
    /// The server of the store can be reached, and cannot be used as it is. Nothing was written.
    case unusable(String)
    /// A unique index already has that key.
    case duplicate(index: String)
    /// The record to be changed does not exist.
    case missing(key: String)
    /// A counter has no numbers left.
    case usedUp(counter: String)
    /// A record or a transaction is larger than the limit.
    case tooLarge(bytes: Int)
}

extension StoreError: CustomStringConvertible {
    /// The error as a sentence for people, without the full stop.
    package var description: String {
        switch self {
        case .busy(let text): text
        case .damaged(let file, let offset, let reason): "\(file) is damaged at byte \(offset): \(reason)"
        case .diskFull: "the disk, or the quota on it, is full"
        case .serverDiskFull: "the disk of the server is full"
        case .readOnly: "the directory cannot be written to"
        case .writeInRead: "a transaction that may only read has tried to write"
        case .systemCall(let name, let error, let outcomeUnknown):
            "\(name): \(error)"
                + (outcomeUnknown
                    ? "; it is unknown whether the last writes were kept until the store is opened again" : "")
        case .denied(let path, let owner, let user):
            "uid \(user) has no permission for \(path), which belongs to uid \(owner)"
        case .locked: "another process holds the lock of the directory"
        case .newerFormat(let format): "the store has format \(format), written by a newer version of the program"
        case .noStore(let path): "there is no store at \(path)"
        case .notAStore(let path, let name):
            "\(path) contains \(name) but no store; a store can be created only in a new or empty directory"
        case .exists(let path): "\(path) already exists; a new store needs an unused path or an empty directory"
        case .unnamed(let path):
            "the path of a new store must end with the name of its directory, as in ./postern-data; "
                + "\(path.isEmpty ? "an empty path" : path) does not"
        case .withinStore(let path):
            "\(path) is in the directory of another store, which must contain only the files of that store"
        case .untrustedFileSystem(let name):
            "the directory is on \(name), where locks may not exclude other processes; use --trust-locks if you know "
                + "that they do"
        case .unavailable(let reason, _): "the server cannot be used at present: \(reason)"
        case .contended(let runs, _): "the transaction was run \(runs) times, and met other transactions each time"
        case .outcomeUnknown(let reason): "it is unknown whether the last write was kept: \(reason)"
        case .serverFailed(let reason): "the server refused a statement: \(reason)"
        case .unusable(let reason): "the database cannot be used: \(reason)"
        case .duplicate(let index): "another record has that key in the index \(index)"
        case .missing(let key): "there is no record \(key)"
        case .usedUp(let counter): "the counter \(counter) has no numbers left"
        case .tooLarge(let bytes): "\(bytes) bytes are more than a record or a transaction may have"
        }
    }
}

extension StoreError {
    /// The store's error for a failed system call.
    ///
    /// - Parameter call: the call and what it was made for, as in `open manifest.json`.
    package static func failed(_ call: String, _ error: SystemError) -> StoreError {
        switch error {
        case .noSpace, .quotaExceeded, .fileTooLarge: .diskFull
        case .readOnlyFileSystem: .readOnly
        default: .systemCall(name: call, error, outcomeUnknown: false)
        }
    }
}

extension SystemError {
    /// Whether the user of this process has no permission.
    package var isDenial: Bool { self == .permissionDenied || self == .notPermitted }
}
