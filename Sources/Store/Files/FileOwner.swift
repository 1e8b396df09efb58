internal import Glibc

/// Who the files of a store belong to: all processes of one user share a store, and a privileged user who works on it must
/// not shut them out.
struct FileOwner: Equatable {
    let user: uid_t
    let group: gid_t

    init(_ status: stat) {
        (user, group) = (status.st_uid, status.st_gid)
    }

    private init(user: uid_t, group: gid_t) {
        (self.user, self.group) = (user, group)
    }

    /// The user that this process acts for.
    static var current: FileOwner { FileOwner(user: geteuid(), group: getegid()) }

    /// Whether it is the user that this process acts for.
    var isCurrent: Bool { user == geteuid() }

    /// Who files that are made in a directory belong to: the owner of the store that is there; else the owner of the
    /// directory, where this process is privileged; else its own user, as in a volume that a group may write to.
    static func ofFiles(in directory: Int32) -> FileOwner {
        var status = stat()
        if fstatat(directory, Manifest.fileName, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileOwner(status) }
        guard geteuid() == 0, fstat(directory, &status) == 0 else { return .current }
        return FileOwner(status)
    }
}
