#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Which file a name or a descriptor stands for, and when it was last changed in any way.
package struct FileStamp: Equatable, Sendable {
    /// The number of the device that the file is on.
    package let device: UInt
    /// The file's number on its device.
    package let inode: UInt
    /// When it was last changed, in Unix time.
    package let changedSeconds: Int
    private let changedNanoseconds: Int

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

    /// Whether both are of one file, changed or not.
    package func isSameFile(as other: FileStamp?) -> Bool {
        device == other?.device && inode == other?.inode
    }
}
