internal import CLibrary

/// The attributes of a file: stat(2).
package struct FileStatus: Sendable {
    /// The type of a file.
    package enum Kind: Sendable {
        case regular, directory, pipe, characterDevice
        /// A socket, a block device, or a symbolic link.
        case other
    }

    /// The type of the file.
    package let kind: Kind
    /// The permission bits, as in `0o600`.
    package let permissions: UInt32
    /// The user and the group that own it.
    package let owner: FileOwner
    /// Its length in bytes.
    package let bytes: Int
    /// The number of its names, which is 0 after it was unlinked.
    package let links: Int
    /// Its identity, and the time of its last change.
    package let stamp: FileStamp

    /// The status of an open file.
    package init(of file: FileDescriptor) throws(SystemError) {
        self.init(try stat(of: file))
    }

    /// The status of the file at a path. A symbolic link is followed.
    package init(at path: SystemString) throws(SystemError) {
        self.init(try stat(at: path))
    }

    /// The status of an entry of a directory. A symbolic link is not followed.
    package init(of name: String, in directory: FileDescriptor) throws(SystemError) {
        self.init(try stat(of: name, in: directory))
    }

    /// The status of an entry of a directory, whose name need not be UTF-8.
    package init(of name: SystemString, in directory: FileDescriptor) throws(SystemError) {
        self.init(try stat(of: name.cString, in: directory))
    }

    /// A status with given values, for simulated files.
    package init(kind: Kind, permissions: UInt32, owner: FileOwner, bytes: Int, links: Int, stamp: FileStamp) {
        (self.kind, self.permissions, self.owner) = (kind, permissions, owner)
        (self.bytes, self.links, self.stamp) = (bytes, links, stamp)
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
    /// The file's length in bytes, and the number of its names, which is 0 after it was unlinked.
    ///
    /// The times are not requested. After a request for a file's times, the next write updates them (Linux 6.13). They
    /// then have to reach the disk too, which makes a sync half as long again.
    package func lengthAndLinks() throws(SystemError) -> (bytes: Int, links: Int) {
        #if !canImport(Darwin)
            var (bytes, links) = (0, 0)
            if linux_length_and_links(rawValue, &bytes, &links) == 0 { return (bytes, links) }
        #endif
        // Some systems do not have statx, and a sandbox may forbid it.
        let status = try FileStatus(of: self)
        return (status.bytes, status.links)
    }
}
