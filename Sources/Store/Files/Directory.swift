internal import Glibc
internal import Synchronization

/// An open directory, whose files are reached through its descriptor: it may be renamed while it is in use.
final class Directory {
    /// The path it was opened by.
    let path: SystemString
    let descriptor: Int32
    /// Who the files that are made in it belong to.
    let filesOwner: FileOwner
    private let calls: SystemCalls
    /// Whether a sync has failed. The system tells so once, and holds for written then what is not.
    private let hasFailed = Mutex(false)

    /// Opens a directory.
    ///
    /// - Parameter makes: whether to make it and those above it where they are missing, with mode 0700.
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

    /// A directory that is open already. The descriptor is closed with it.
    init(adopting descriptor: Int32, path: SystemString, calls: SystemCalls) {
        (self.path, self.descriptor, self.calls) = (path, descriptor, calls)
        filesOwner = .ofFiles(in: descriptor)
    }

    /// A directory that holds a store, or what is left of one.
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

    /// A directory for a store, made where it is missing: it holds a store, what is left of one, or nothing.
    ///
    /// - Throws: `StoreError.notAStore` for a directory that holds other files: it is in use for something else;
    ///   `StoreError.withinStore` for a new one in the directory of another store.
    static func forStore(_ path: SystemString, calls: SystemCalls) throws(StoreError) -> Directory {
        let directory: Directory
        do throws(StoreError) {
            directory = try Directory(path, makes: false, calls: calls)
        } catch  where error.isMissingFile {
            try StorePlace(path).checkSurroundings()
            return try Directory(path, calls: calls)
        }
        // Most hold a store, and one look tells.
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

    /// The names of all files in it, in the order of their bytes. The store's own are ASCII; others may be shown with escapes.
    func names() throws(StoreError) -> [String] { try DirectoryNames.of(descriptor, path) }

    /// The file that has that name now; nil where none has.
    func stamp(of name: String) throws(StoreError) -> FileStamp? {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileStamp(status) }
        guard errno == ENOENT else { throw .failed("stat \(name)") }
        return nil
    }

    /// Whether a stamp is this directory's.
    func isSame(as stamp: FileStamp) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && FileStamp(status).isSameFile(as: stamp)
    }

    /// Whether the directory belongs to the user of this process.
    var isOwn: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_uid == geteuid()
    }

    /// Lets no other user in, where the directory belongs to the user of this process or that user is privileged.
    func restrict() throws(StoreError) {
        let status = try status()
        guard geteuid() == 0 || status.st_uid == geteuid() else { return }
        guard fchmod(descriptor, 0o700) == 0 else { throw Self.failure(of: "chmod", path) }
    }

    /// What an operator should know of the directory's owner and mode; nil where there is nothing to say.
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

    /// Removes a name, where it is there.
    func unlinkIfPresent(_ name: String) throws(StoreError) {
        guard calls.unlink(descriptor, name) != 0, errno != ENOENT else { return }
        throw failure(of: "unlink", name)
    }

    /// What a failed call on one of its files comes to, told from `errno`.
    func failure(of call: String, _ name: String) -> StoreError {
        let code = errno
        guard code == EACCES || code == EPERM else { return .failed("\(call) \(name)") }
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0 { fstat(descriptor, &status) }
        return .denied(path: "\(path.appending(name))", owner: Int(status.st_uid), user: Int(geteuid()))
    }

    /// What a failed call on a directory comes to, told from `errno`.
    private static func failure(of call: String, _ path: SystemString) -> StoreError {
        let code = errno
        guard code == EACCES || code == EPERM else { return .failed("\(call) \(path)") }
        var status = stat()
        // A directory that cannot be looked at is behind one that may not be entered.
        guard stat(path.cString, &status) == 0 else {
            return .denied(path: "\(path)", owner: path.parent.map(Self.owner) ?? 0, user: Int(geteuid()))
        }
        return .denied(path: "\(path)", owner: Int(status.st_uid), user: Int(geteuid()))
    }

    /// The owner of the nearest directory above that can be looked at.
    private static func owner(of path: SystemString) -> Int {
        var status = stat()
        if stat(path.cString, &status) == 0 { return Int(status.st_uid) }
        return path.parent.map(owner) ?? 0
    }

    /// How many bytes its file system has left for this user.
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

    /// Waits until the names of its files are on the disk.
    ///
    /// - Throws: `StoreError.systemCall`, from the first failure on each time.
    func sync() throws(StoreError) {
        if hasFailed.withLock({ $0 }) { throw .systemCall(name: "sync \(path)", errno: EIO, outcomeUnknown: true) }
        guard retryingInterrupted({ calls.syncDirectory(descriptor) }) == 0 else {
            let error = StoreError.failed("sync \(path)")
            hasFailed.withLock { $0 = true }
            throw error
        }
    }

    /// Waits until the directory's own name is on the disk.
    func syncParent() throws(StoreError) {
        let parent = retryingInterrupted { openat(descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if parent < 0, errno == EACCES {
            // A directory that may be passed but not listed cannot be synced; whoever made this one in it could.
            return
        }
        guard parent >= 0 else { throw .failed("open \(path)/..") }
        defer { Glibc.close(parent) }
        guard retryingInterrupted({ fsync(parent) }) == 0 else { throw .failed("sync \(path)/..") }
    }

    private static func open(_ path: SystemString) -> Int32 {
        retryingInterrupted { Glibc.open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }

    /// Makes a directory, after those above it.
    private static func make(_ path: SystemString) throws(StoreError) {
        if mkdir(path.cString, 0o700) != 0 {
            // Another process may have made it meanwhile.
            if errno == EEXIST { return }
            guard errno == ENOENT, let parent = path.parent else { throw failure(of: "mkdir", path) }
            try make(parent)
            guard mkdir(path.cString, 0o700) == 0 || errno == EEXIST else { throw failure(of: "mkdir", path) }
        }
        guard chmod(path.cString, 0o700) == 0 else { throw failure(of: "chmod", path) }
        try Directory(path).syncParent()
    }
}
