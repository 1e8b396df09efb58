#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The identity of a file, and the time of its last change.
package struct FileStamp: Equatable, Sendable {
    /// The number of the device that the file is on.
    package let device: UInt
    /// The file's number on its device.
    package let inode: UInt
    /// The time of the last change of its contents or attributes (ctime), as Unix time.
    package let changedSeconds: Int
    private let changedNanoseconds: Int

    /// The stamp of an open file.
    package init(of file: FileDescriptor) throws(SystemError) {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw .last }
        self.init(status)
    }

    /// The stamp of what a path leads to.
    package init(at path: SystemString) throws(SystemError) {
        var status = stat()
        guard stat(path.cString, &status) == 0 else { throw .last }
        self.init(status)
    }

    /// The stamp of an entry of a directory. A symbolic link is not followed.
    package init(of name: String, in directory: FileDescriptor) throws(SystemError) {
        var status = stat()
        guard fstatat(directory.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .last }
        self.init(status)
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
