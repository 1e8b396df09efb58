internal import Glibc
internal import Synchronization

/// An open directory. Its files are accessed through its descriptor, so it may be renamed while it is in use.
final class Directory {
    /// The path by which it was opened.
    let path: SystemString
    let descriptor: Int32
    /// The owner of files that are created in it.
    let filesOwner: FileOwner
    private let calls: SystemCalls
    /// Whether a sync has failed. The system reports a failure only once, and then treats the lost data as written.
    private let hasFailed = Mutex(false)

    /// Opens a directory.
    ///
    /// - Parameter makes: whether to create the directory and its missing parents, with mode 0700.
    init(_ path: SystemString, makes: Bool = true, calls: SystemCalls = .real) throws(StoreError) {
        var descriptor = Self.open(path)
        if descriptor < 0, errno == ENOENT, makes {
            try Self.make(path)
            descriptor = Self.open(path)
        }
        guard descriptor >= 0 else { throw Self.failure(of: "open", path) }
        self.path = path
        self.descriptor = descriptor
        self.calls = calls
        filesOwner = .ofFiles(in: descriptor)
    }

    /// Takes over an open descriptor, which is closed when the object is freed.
    init(adopting descriptor: Int32, path: SystemString, calls: SystemCalls) {
        (self.path, self.descriptor, self.calls) = (path, descriptor, calls)
        filesOwner = .ofFiles(in: descriptor)
    }

    /// A directory that has a store, or the remains of one.
    ///
    /// - Throws: `StoreError.noStore`.
    static func holdingStore(_ path: SystemString, calls: SystemCalls) throws(StoreError) -> Directory {
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
    static func forStore(_ path: SystemString, calls: SystemCalls) throws(StoreError) -> Directory {
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(path, makes: false, calls: calls)
        } catch  where error.isMissingFile {
            try StorePlace(path).checkSurroundings()
            return try Directory(path, calls: calls)
        }
        // Most directories have a store, and this one call shows it.
        guard try directory.stamp(of: Manifest.fileName) == nil else { return directory }
        let names = try directory.names()
        guard !names.contains(where: { StoreFiles.epoch(of: $0) != nil }) else { return directory }
        if let other = names.first(where: { !StoreFiles.leavesUnused($0) }) {
            throw .notAStore("\(path)", holding: other)
        }
        try StorePlace(path).checkSurroundings()
        return directory
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// The names of all files in it, in byte order. The store's own names are ASCII; other names may contain escapes.
    func names() throws(StoreError) -> [String] { try DirectoryNames.of(descriptor, path) }

    /// The stamp of the file with that name; nil if no file has it.
    func stamp(of name: String) throws(StoreError) -> FileStamp? {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileStamp(status) }
        guard errno == ENOENT else { throw .failed("stat \(name)") }
        return nil
    }

    /// Whether a stamp belongs to this directory.
    func isSame(as stamp: FileStamp) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && FileStamp(status).isSameFile(as: stamp)
    }

    /// Whether the directory belongs to the user of this process.
    var isOwn: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_uid == geteuid()
    }

    /// Denies access to all other users, if the directory belongs to the user of this process or that user is
    /// privileged.
    func restrict() throws(StoreError) {
        let status = try status()
        guard geteuid() == 0 || status.st_uid == geteuid() else { return }
        guard fchmod(descriptor, 0o700) == 0 else { throw Self.failure(of: "chmod", path) }
    }

    /// A warning for the operator about the directory's owner or mode; nil if there is none.
    func warning() throws(StoreError) -> String? {
        let status = try status()
        let mode = status.st_mode & 0o777
        guard mode & 0o022 == 0 else {
            return "other users can change the directory \(path): it has mode \(String(mode, radix: 8)), not 700"
        }
        guard geteuid() != 0, status.st_uid != geteuid() else { return nil }
        return "the directory \(path) belongs to uid \(status.st_uid), not to the uid \(geteuid()) of this process"
    }

    func rename(_ name: String, to newName: String) throws(StoreError) {
        guard calls.rename(descriptor, SystemString(name), SystemString(newName)) == 0 else {
            throw failure(of: "rename", name)
        }
    }

    func unlink(_ name: String) throws(StoreError) {
        guard calls.unlink(descriptor, name) == 0 else { throw failure(of: "unlink", name) }
    }

    /// Removes a name if it exists.
    func unlinkIfPresent(_ name: String) throws(StoreError) {
        guard calls.unlink(descriptor, name) != 0, errno != ENOENT else { return }
        throw failure(of: "unlink", name)
    }

    /// The error for a failed call on one of its files, from `errno`.
    func failure(of call: String, _ name: String) -> StoreError {
        let code = errno
        guard code == EACCES || code == EPERM else { return .failed("\(call) \(name)") }
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0 { fstat(descriptor, &status) }
        return .denied(path: "\(path.appending(name))", owner: Int(status.st_uid), user: Int(geteuid()))
    }

    /// The error for a failed call on a directory, from `errno`.
    private static func failure(of call: String, _ path: SystemString) -> StoreError {
        let code = errno
        guard code == EACCES || code == EPERM else { return .failed("\(call) \(path)") }
        var status = stat()
        // If stat fails, a directory above denies access.
        guard stat(path.cString, &status) == 0 else {
            return .denied(path: "\(path)", owner: path.parent.map(Self.owner) ?? 0, user: Int(geteuid()))
        }
        return .denied(path: "\(path)", owner: Int(status.st_uid), user: Int(geteuid()))
    }

    /// The owner of the nearest directory above for which stat succeeds.
    private static func owner(of path: SystemString) -> Int {
        var status = stat()
        if stat(path.cString, &status) == 0 { return Int(status.st_uid) }
        return path.parent.map(owner) ?? 0
    }

    /// The bytes that its file system has free for this user.
    func freeBytes() throws(StoreError) -> Int {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { throw .failed("statvfs \(path)") }
        return Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        )
    }

    private func status() throws(StoreError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(path)") }
        return status
    }

    /// Makes the names of its files durable.
    ///
    /// - Throws: `StoreError.systemCall`. After the first failure every call throws.
    func sync() throws(StoreError) {
        if hasFailed.withLock({ $0 }) { throw .systemCall(name: "sync \(path)", errno: EIO, outcomeUnknown: true) }
        guard retryingInterrupted({ calls.syncDirectory(descriptor) }) == 0 else {
            let error = StoreError.failed("sync \(path)")
            hasFailed.withLock { $0 = true }
            throw error
        }
    }

    /// Makes the directory's own name durable.
    func syncParent() throws(StoreError) {
        let parent = retryingInterrupted { openat(descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if parent < 0, errno == EACCES {
            // A directory with search but without read permission cannot be synced. The process that created this
            // directory in it could sync it.
            return
        }
        guard parent >= 0 else { throw .failed("open \(path)/..") }
        defer { Glibc.close(parent) }
        guard retryingInterrupted({ fsync(parent) }) == 0 else { throw .failed("sync \(path)/..") }
    }

    private static func open(_ path: SystemString) -> Int32 {
        retryingInterrupted { Glibc.open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }

    /// Creates a directory, after its missing parents.
    private static func make(_ path: SystemString) throws(StoreError) {
        if mkdir(path.cString, 0o700) != 0 {
            // Another process may have created it in the meantime.
            if errno == EEXIST { return }
            guard errno == ENOENT, let parent = path.parent else { throw failure(of: "mkdir", path) }
            try make(parent)
            guard mkdir(path.cString, 0o700) == 0 || errno == EEXIST else { throw failure(of: "mkdir", path) }
        }
        guard chmod(path.cString, 0o700) == 0 else { throw failure(of: "chmod", path) }
        try Directory(path).syncParent()
    }
}
