internal import Platform
internal import Synchronization
import Store

/// An open directory. Its files are accessed through its descriptor, so it may be renamed while it is in use.
final class Directory {
    /// The path by which it was opened.
    let path: SystemString
    let descriptor: FileDescriptor
    /// The owner of files that are created in it.
    let filesOwner: FileOwner
    private let calls: any SystemCalls
    /// Whether a sync has failed. The system reports a failure only once, and then treats the lost data as written.
    private let hasFailed = Mutex(false)

    /// Opens a directory.
    ///
    /// - Parameter makes: whether to create the directory and its missing parents, with mode 0700.
    init(_ path: SystemString, makes: Bool = true, calls: any SystemCalls = .real) throws(StoreError) {
        let descriptor: FileDescriptor
        do throws(SystemError) {
            descriptor = try Self.open(path, calls)
        } catch {
            guard error == .noSuchFile, makes else { throw Self.failure(of: "open", path, error, calls) }
            try Self.make(path, calls)
            do throws(SystemError) {
                descriptor = try Self.open(path, calls)
            } catch {
                throw Self.failure(of: "open", path, error, calls)
            }
        }
        self.path = path
        self.descriptor = descriptor
        self.calls = calls
        filesOwner = .ofFiles(in: descriptor, calls)
    }

    /// Takes over an open descriptor, which is closed when the object is freed.
    init(adopting descriptor: FileDescriptor, path: SystemString, calls: any SystemCalls) {
        (self.path, self.descriptor, self.calls) = (path, descriptor, calls)
        filesOwner = .ofFiles(in: descriptor, calls)
    }

    /// A directory that has a store, or the remains of one.
    ///
    /// - Throws: `StoreError.noStore`.
    static func holdingStore(_ path: SystemString, calls: any SystemCalls) throws(StoreError) -> Directory {
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(path, makes: false, calls: calls)
        } catch  where error.isMissingFile {
            throw .noStore("\(path)")
        }
        let names = try directory.names()
        guard names.contains(where: { $0 == Manifest.fileName || StoreFiles.epoch(of: $0) != nil }) else {
            throw .noStore("\(path)")
        }
        return directory
    }

    /// A directory for a store, created if it does not exist. It has a store, the remains of one, or no files.
    ///
    /// - Throws: `StoreError.notAStore` if the directory has other files, because it is used for something else;
    ///   `StoreError.withinStore` if a new directory would be in the directory of another store.
    static func forStore(_ path: SystemString, calls: any SystemCalls) throws(StoreError) -> Directory {
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(path, makes: false, calls: calls)
        } catch  where error.isMissingFile {
            try StorePlace(path, calls).checkSurroundings()
            return try Directory(path, calls: calls)
        }
        // Most directories have a store, and this one call shows it.
        guard try directory.stamp(of: Manifest.fileName) == nil else { return directory }
        let names = try directory.names()
        guard !names.contains(where: { StoreFiles.epoch(of: $0) != nil }) else { return directory }
        if let other = names.first(where: { !StoreFiles.leavesUnused($0) }) {
            throw .notAStore("\(path)", holding: other)
        }
        try StorePlace(path, calls).checkSurroundings()
        return directory
    }

    deinit {
        calls.close(descriptor)
    }

    /// The names of all files in it, in byte order. The store's own names are ASCII; other names may contain escapes.
    func names() throws(StoreError) -> [String] {
        do throws(FailedCall) {
            return try calls.names(in: descriptor, path)
        } catch {
            throw .failed(error.call, error.error)
        }
    }

    /// The stamp of the file with that name; nil if no file has it.
    func stamp(of name: String) throws(StoreError) -> FileStamp? {
        try stamp(of: SystemString(name))
    }

    /// The stamp of the file with that name; nil if no file has it.
    func stamp(of name: SystemString) throws(StoreError) -> FileStamp? {
        do throws(SystemError) {
            return try calls.status(of: name, in: descriptor).stamp
        } catch .noSuchFile {
            return nil
        } catch {
            throw .failed("stat \(name)", error)
        }
    }

    /// Whether a stamp belongs to this directory.
    func isSame(as stamp: FileStamp) -> Bool {
        knownStatus?.stamp.isSameFile(as: stamp) ?? false
    }

    /// Whether the directory belongs to the user of this process.
    var isOwn: Bool {
        knownStatus?.owner.isCurrent ?? false
    }

    /// Denies access to all other users, if the directory belongs to the user of this process or that user is
    /// privileged.
    func restrict() throws(StoreError) {
        let status = try status()
        guard CurrentProcess.isPrivileged || status.owner.isCurrent else { return }
        do throws(SystemError) {
            try calls.setMode(0o700, of: descriptor)
        } catch {
            throw Self.failure(of: "chmod", path, error, calls)
        }
    }

    /// A warning for the administrator about the directory's owner or mode; nil if there is none.
    func warning() throws(StoreError) -> String? {
        let status = try status()
        let mode = status.permissions & 0o777
        guard mode & 0o022 == 0 else {
            return "other users can change the directory \(path): it has mode \(String(mode, radix: 8)), not 700"
        }
        guard !CurrentProcess.isPrivileged, !status.owner.isCurrent else { return nil }
        let (owner, user) = (status.owner.user, CurrentProcess.user)
        return "the directory \(path) belongs to uid \(owner), not to the uid \(user) of this process"
    }

    func rename(_ name: String, to newName: String) throws(StoreError) {
        do throws(SystemError) {
            try calls.renameEntry(SystemString(name), to: SystemString(newName), in: descriptor)
        } catch {
            throw failure(of: "rename", name, error)
        }
    }

    func unlink(_ name: String) throws(StoreError) {
        do throws(SystemError) {
            try calls.unlinkEntry(name, in: descriptor)
        } catch {
            throw failure(of: "unlink", name, error)
        }
    }

    /// Removes a name if it exists.
    func unlinkIfPresent(_ name: String) throws(StoreError) {
        do throws(SystemError) {
            try calls.unlinkEntry(name, in: descriptor)
        } catch .noSuchFile {
            return
        } catch {
            throw failure(of: "unlink", name, error)
        }
    }

    /// The error for a failed call on one of its files.
    func failure(of call: String, _ name: String, _ error: SystemError) -> StoreError {
        guard error.isDenial else { return .failed("\(call) \(name)", error) }
        let owner: UInt32
        do throws(SystemError) {
            owner = try calls.status(of: SystemString(name), in: descriptor).owner.user
        } catch {
            owner = knownStatus?.owner.user ?? 0
        }
        return .denied(path: "\(path.appending(name))", owner: Int(owner), user: Int(CurrentProcess.user))
    }

    /// The error for a failed call on a directory.
    private static func failure(
        of call: String,
        _ path: SystemString,
        _ error: SystemError,
        _ calls: any SystemCalls
    ) -> StoreError {
        guard error.isDenial else { return .failed("\(call) \(path)", error) }
        // If stat fails, a directory above denies access.
        return .denied(path: "\(path)", owner: owner(of: path, calls), user: Int(CurrentProcess.user))
    }

    /// The owner of a directory; if stat fails for it, of the nearest directory above for which stat succeeds.
    private static func owner(of path: SystemString, _ calls: any SystemCalls) -> Int {
        do throws(SystemError) {
            return Int(try calls.status(at: path).owner.user)
        } catch {
            return path.parent.map { owner(of: $0, calls) } ?? 0
        }
    }

    /// The bytes that its file system has free for this user.
    func freeBytes() throws(StoreError) -> Int {
        do throws(SystemError) {
            return try calls.freeBytes(of: descriptor)
        } catch {
            throw .failed("statvfs \(path)", error)
        }
    }

    /// The name of its file system if locks or syncs there cannot be trusted; nil for any other file system.
    func untrustedFileSystem() throws(SystemError) -> String? {
        try calls.untrustedFileSystem(of: descriptor)
    }

    private func status() throws(StoreError) -> FileStatus {
        do throws(SystemError) {
            return try calls.status(of: descriptor)
        } catch {
            throw .failed("stat \(path)", error)
        }
    }

    /// The directory's status; nil if the system does not give it.
    private var knownStatus: FileStatus? {
        do throws(SystemError) {
            return try calls.status(of: descriptor)
        } catch {
            return nil
        }
    }

    /// Makes the names of its files durable.
    ///
    /// - Throws: `StoreError.systemCall`. After the first failure every call throws.
    func sync() throws(StoreError) {
        if hasFailed.withLock({ $0 }) { throw .systemCall(name: "sync \(path)", .inputOutput, outcomeUnknown: true) }
        do throws(SystemError) {
            try calls.syncNames(of: descriptor)
        } catch {
            hasFailed.withLock { $0 = true }
            throw .failed("sync \(path)", error)
        }
    }

    /// Makes the directory's own name durable.
    func syncParent() throws(StoreError) {
        let parent: FileDescriptor
        do throws(SystemError) {
            parent = try calls.open("..", in: descriptor, .reading | .directory)
        } catch .permissionDenied {
            // A directory with search but without read permission cannot be synced. The process that created this
            // directory in it could sync it.
            return
        } catch {
            throw .failed("open \(path)/..", error)
        }
        defer { calls.close(parent) }
        do throws(SystemError) {
            try calls.syncNames(of: parent)
        } catch {
            throw .failed("sync \(path)/..", error)
        }
    }

    private static func open(_ path: SystemString, _ calls: any SystemCalls) throws(SystemError) -> FileDescriptor {
        try calls.open(path, in: nil, .reading | .directory)
    }

    /// Creates a directory, after its missing parents.
    private static func make(_ path: SystemString, _ calls: any SystemCalls) throws(StoreError) {
        do throws(SystemError) {
            try calls.makeDirectory(path, in: nil, mode: 0o700)
        } catch .fileExists {
            // Another process may have created it in the meantime.
            return
        } catch {
            guard error == .noSuchFile, let parent = path.parent else {
                throw failure(of: "mkdir", path, error, calls)
            }
            try make(parent, calls)
            do throws(SystemError) {
                try calls.makeDirectory(path, in: nil, mode: 0o700)
            } catch {
                guard error == .fileExists else { throw failure(of: "mkdir", path, error, calls) }
            }
        }
        do throws(SystemError) {
            try calls.setMode(0o700, of: path, in: nil)
        } catch {
            throw failure(of: "chmod", path, error, calls)
        }
        try Directory(path, calls: calls).syncParent()
    }
}
