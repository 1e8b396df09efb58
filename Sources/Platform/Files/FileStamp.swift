internal import CLibrary

/// The identity of a file, and the time of its last change.
package struct FileStamp: Equatable, Sendable {
    /// The number of the device that the file is on.
    package let device: UInt
    /// The file's number on its device.
    package let inode: UInt
    /// The time of the last change of its contents or attributes (ctime), as Unix time.
    package let changedSeconds: Int
    private let changedNanoseconds: Int

    /// A stamp with given values, for simulated files.
    package init(device: UInt, inode: UInt, changedSeconds: Int, changedNanoseconds: Int) {
        (self.device, self.inode) = (device, inode)
        (self.changedSeconds, self.changedNanoseconds) = (changedSeconds, changedNanoseconds)
    }

    init(_ status: stat) {
        device = UInt(truncatingIfNeeded: status.st_dev)
        inode = UInt(status.st_ino)
        #if canImport(Darwin)
            // Untested.
            (changedSeconds, changedNanoseconds) = (status.st_ctimespec.tv_sec, status.st_ctimespec.tv_nsec)
        #else
            (changedSeconds, changedNanoseconds) = (Int(status.st_ctim.tv_sec), Int(status.st_ctim.tv_nsec))
        #endif
    }

    /// Whether both stamps belong to the same file, changed or not.
    package func isSameFile(as other: FileStamp?) -> Bool {
        device == other?.device && inode == other?.inode
    }
}
