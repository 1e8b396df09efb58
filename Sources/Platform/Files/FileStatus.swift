#if canImport(Glibc) || canImport(Musl)
    internal import CLinux
#endif
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What the system records of a file: stat(2).
package struct FileStatus: Sendable {
    /// What sort of file it is.
    package enum Kind: Sendable {
        case regular, directory, pipe, characterDevice, other
    }

    /// What sort of file it is.
    package let kind: Kind
    /// The permission bits, as in `0o600`.
    package let permissions: UInt32
    /// The user and the group that it belongs to.
    package let owner: FileOwner
    /// Its length.
    package let bytes: Int
    /// How many names it has; none once it was unlinked.
    package let links: Int
    /// Which file it is, and when it was last changed.
    package let stamp: FileStamp

    /// The status of an open file.
    package init(of file: FileDescriptor) throws(SystemError) {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw .last }
        self.init(status)
    }

    /// The status of what a path leads to.
    package init(at path: SystemString) throws(SystemError) {
        var status = stat()
        guard stat(path.cString, &status) == 0 else { throw .last }
        self.init(status)
    }

    /// The status of an entry of a directory. A symbolic link is not followed.
    package init(of name: String, in directory: FileDescriptor) throws(SystemError) {
        var status = stat()
        guard fstatat(directory.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .last }
        self.init(status)
    }

    /// The status of an entry of a directory. A symbolic link is not followed.
    package init(of name: SystemString, in directory: FileDescriptor) throws(SystemError) {
        var status = stat()
        guard fstatat(directory.rawValue, name.cString, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .last }
        self.init(status)
    }

    private init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFIFO: .pipe
            case S_IFCHR: .characterDevice
            default: .other
            }
        permissions = UInt32(status.st_mode & 0o7777)
        owner = FileOwner(user: status.st_uid, group: status.st_gid)
        (bytes, links) = (Int(status.st_size), Int(status.st_nlink))
        stamp = FileStamp(status)
    }
}

extension FileDescriptor {
    /// The file's length in bytes and how many names it has; none once it was unlinked.
    ///
    /// Its times are not asked for: a file whose times were looked at gets new ones with the next write (Linux 6.13), and
    /// they would have to reach the disk with it, which makes a sync half as long again.
    package func lengthAndLinks() throws(SystemError) -> (bytes: Int, links: Int) {
        #if canImport(Glibc) || canImport(Musl)
            var (bytes, links) = (0, 0)
            if linux_length_and_links(rawValue, &bytes, &links) == 0 { return (bytes, links) }
        #endif
        // A system may know no statx, or a sandbox forbid it.
        let status = try FileStatus(of: self)
        return (status.bytes, status.links)
    }
}
