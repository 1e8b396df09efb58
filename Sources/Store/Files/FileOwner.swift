internal import Glibc

/// The owner of a store's files. All processes of one user share a store, and a privileged user who works on it must
/// not lock them out.
struct FileOwner: Equatable {
    let user: uid_t
    let group: gid_t

    init(_ status: stat) {
        (user, group) = (status.st_uid, status.st_gid)
    }

    private init(user: uid_t, group: gid_t) {
        (self.user, self.group) = (user, group)
    }

    /// The effective user of this process.
    static var current: FileOwner { FileOwner(user: geteuid(), group: getegid()) }

    /// Whether it is the effective user of this process.
    var isCurrent: Bool { user == geteuid() }

    /// The owner of files that are created in a directory. If there is a store, it is the store's owner; otherwise, if
    /// this process is privileged, the directory's owner; otherwise the user of this process, as in a volume that a
    /// group may write to.
    static func ofFiles(in directory: Int32) -> FileOwner {
        var status = stat()
        if fstatat(directory, Manifest.fileName, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileOwner(status) }
        guard geteuid() == 0, fstat(directory, &status) == 0 else { return .current }
        return FileOwner(status)
    }
}
