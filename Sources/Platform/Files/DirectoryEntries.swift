#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Changes to the entries of a directory, by its descriptor or by a path.
package enum DirectoryEntries {
    /// Creates a directory at a path. Its mode is less the umask.
    package static func makeDirectory(_ path: SystemString, mode: UInt32) throws(SystemError) {
        try checked { mkdir(path.cString, mode_t(mode)) }
    }

    /// Creates a directory in another. Its mode is less the umask.
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

    /// Removes the name of a file, or a symbolic link itself.
    package static func unlink(_ path: SystemString) throws(SystemError) {
        try checked { unlinkat(AT_FDCWD, path.cString, 0) }
    }

    /// Removes the name of a file in a directory, or a symbolic link itself.
    package static func unlink(_ name: String, in directory: FileDescriptor) throws(SystemError) {
        try checked { unlinkat(directory.rawValue, name, 0) }
    }

    /// Renames an entry of a directory, over another if the new name is in use.
    package static func rename(
        _ name: String,
        to newName: String,
        in directory: FileDescriptor
    ) throws(SystemError) {
        try checked { renameat(directory.rawValue, name, directory.rawValue, newName) }
    }

    /// Sets the permission bits of what a path leads to.
    package static func setMode(_ mode: UInt32, of path: SystemString) throws(SystemError) {
        try checked { chmod(path.cString, mode_t(mode)) }
    }

    /// Sets the permission bits of an entry of a directory; fails for a symbolic link.
    package static func setMode(
        _ mode: UInt32,
        of name: SystemString,
        in directory: FileDescriptor
    ) throws(SystemError) {
        try checked { fchmodat(directory.rawValue, name.cString, mode_t(mode), AT_SYMLINK_NOFOLLOW) }
    }
}
