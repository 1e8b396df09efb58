internal import CLibrary

/// Changes the entries of directories. An entry is identified by a path, or by a name and its directory's descriptor.
package enum DirectoryEntries {
    /// Creates a directory at a path. The umask removes bits from its mode.
    package static func makeDirectory(_ path: SystemString, mode: UInt32) throws(SystemError) {
        try checked { mkdir(path.cString, mode_t(mode)) }
    }

    /// Creates a directory in another. The umask removes bits from its mode.
    package static func makeDirectory(
        _ name: SystemString,
        in directory: FileDescriptor,
        mode: UInt32
    ) throws(SystemError) {
        try checked { mkdirat(directory.rawValue, name.cString, mode_t(mode)) }
    }

    /// Removes an empty directory from another.
    package static func removeDirectory(_ name: SystemString, in directory: FileDescriptor) throws(SystemError) {
        try checked { unlinkat(directory.rawValue, name.cString, AT_REMOVEDIR) }
    }

    /// Removes a file's name. A symbolic link is removed, not its target.
    package static func unlink(_ path: SystemString) throws(SystemError) {
        try checked { unlinkat(AT_FDCWD, path.cString, 0) }
    }

    /// Removes a file's name from a directory. A symbolic link is removed, not its target.
    package static func unlink(_ name: String, in directory: FileDescriptor) throws(SystemError) {
        try checked { unlinkat(directory.rawValue, name, 0) }
    }

    /// Renames an entry of a directory. An existing entry with the new name is replaced.
    package static func rename(
        _ name: String,
        to newName: String,
        in directory: FileDescriptor
    ) throws(SystemError) {
        try checked { renameat(directory.rawValue, name, directory.rawValue, newName) }
    }

    /// Sets the permission bits of the file at a path. A symbolic link is followed.
    package static func setMode(_ mode: UInt32, of path: SystemString) throws(SystemError) {
        try checked { chmod(path.cString, mode_t(mode)) }
    }

    /// Sets the permission bits of an entry of a directory. It fails for a symbolic link.
    package static func setMode(
        _ mode: UInt32,
        of name: SystemString,
        in directory: FileDescriptor
    ) throws(SystemError) {
        try checked { fchmodat(directory.rawValue, name.cString, mode_t(mode), AT_SYMLINK_NOFOLLOW) }
    }
}
