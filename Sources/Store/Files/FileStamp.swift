internal import Glibc

/// Which file a name or a descriptor stands for, and when it was last changed in any way.
struct FileStamp: Equatable {
    let device: UInt
    let inode: UInt
    /// When it was last changed, in Unix time.
    let changedSeconds: Int
    private let changedNanoseconds: Int

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        changedSeconds = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    /// Whether both are of one file, changed or not.
    func isSameFile(as other: FileStamp?) -> Bool {
        device == other?.device && inode == other?.inode
    }
}
