internal import CLibrary

/// How a file is opened. Child processes never inherit the descriptor (O_CLOEXEC).
///
/// It is not an `OptionSet`: the generic code for those needs metadata at run time, which makes a start 5 % longer.
package struct OpenOptions: Sendable {
    /// The flags of open(2).
    fileprivate let rawValue: Int32

    /// All options of both.
    package static func | (left: OpenOptions, right: OpenOptions) -> OpenOptions {
        OpenOptions(rawValue: left.rawValue | right.rawValue)
    }

    /// Whether the file may be written.
    package var writes: Bool { rawValue & O_ACCMODE != O_RDONLY }
    /// Whether the file is created.
    package var creates: Bool { rawValue & O_CREAT != 0 }
    /// Whether only a directory may be opened.
    package var needsDirectory: Bool { rawValue & O_DIRECTORY != 0 }

    /// For reading. Its value is 0, so any other access mode replaces it.
    package static var reading: OpenOptions { OpenOptions(rawValue: O_RDONLY) }
    /// For writing.
    package static var writing: OpenOptions { OpenOptions(rawValue: O_WRONLY) }
    /// For reading and writing.
    package static var readingAndWriting: OpenOptions { OpenOptions(rawValue: O_RDWR) }
    /// Creates the file. It fails if the name is in use.
    package static var creating: OpenOptions { OpenOptions(rawValue: O_CREAT | O_EXCL) }
    /// Fails if the file is not a directory.
    package static var directory: OpenOptions { OpenOptions(rawValue: O_DIRECTORY) }
    /// Fails if the last part of the path is a symbolic link.
    package static var notFollowingLinks: OpenOptions { OpenOptions(rawValue: O_NOFOLLOW) }
    /// Does not wait for the other end of a pipe. It has no effect on a regular file.
    package static var notWaiting: OpenOptions { OpenOptions(rawValue: O_NONBLOCK) }
    /// A terminal does not become the process's controlling terminal.
    package static var notControlling: OpenOptions { OpenOptions(rawValue: O_NOCTTY) }
}

extension FileDescriptor {
    /// Opens a path. A file that is created gets the given mode, from which the umask removes bits.
    package static func open(
        _ path: SystemString,
        _ options: OpenOptions,
        mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            rawValue: try checked { openat(AT_FDCWD, path.cString, options.rawValue | O_CLOEXEC, mode_t(mode)) }
        )
    }

    /// Opens a name in this directory.
    package func open(
        _ name: String,
        _ options: OpenOptions,
        mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        try open(SystemString(name), options, mode: mode)
    }

    /// Opens a name in this directory, which need not be UTF-8.
    package func open(
        _ name: SystemString,
        _ options: OpenOptions,
        mode: UInt32 = 0o600
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            rawValue: try checked { openat(rawValue, name.cString, options.rawValue | O_CLOEXEC, mode_t(mode)) }
        )
    }
}
