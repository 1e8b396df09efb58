internal import Glibc

/// The identity of a file, and the time of its last change.
struct FileStamp: Equatable {
    let device: UInt
    let inode: UInt
    /// The time of the last change of its contents or attributes (ctime), as Unix time.
    let changedSeconds: Int
    private let changedNanoseconds: Int

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        changedSeconds = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    /// Whether both stamps belong to the same file, changed or not.
    func isSameFile(as other: FileStamp?) -> Bool {
        device == other?.device && inode == other?.inode
    }
}
