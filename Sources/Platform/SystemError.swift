internal import CLibrary

/// Why a system call failed: the value of `errno`, with names for the errors that callers distinguish.
package struct SystemError: Error, Hashable, Sendable {
    /// The value of `errno`.
    package let number: Int32

    /// The error with the given value of `errno`.
    package init(number: Int32) {
        self.number = number
    }

    /// The error of the call that failed last on this thread.
    static var last: SystemError { SystemError(number: errno) }
}

extension SystemError: CustomStringConvertible {
    /// The system's text for the error, as in `No such file or directory`.
    package var description: String { String(cString: strerror(number)) }
}

extension SystemError {
    /// ENOENT: no file has the name.
    package static var noSuchFile: SystemError { SystemError(number: ENOENT) }
    /// EEXIST: the name is in use.
    package static var fileExists: SystemError { SystemError(number: EEXIST) }
    /// EACCES: the permissions of a file or directory do not allow the call.
    package static var permissionDenied: SystemError { SystemError(number: EACCES) }
    /// EPERM: only the owner or a privileged user may make the call.
    package static var notPermitted: SystemError { SystemError(number: EPERM) }
    /// ENOTDIR: a part of the path is not a directory.
    package static var notDirectory: SystemError { SystemError(number: ENOTDIR) }
    /// EISDIR: the file is a directory.
    package static var isDirectory: SystemError { SystemError(number: EISDIR) }
    /// ENOTEMPTY: the directory has entries.
    package static var directoryNotEmpty: SystemError { SystemError(number: ENOTEMPTY) }
    /// ELOOP: the file is a symbolic link, or the path has too many symbolic links.
    package static var tooManySymbolicLinks: SystemError { SystemError(number: ELOOP) }
    /// ENXIO: the file is a socket, or its device does not exist.
    package static var noSuchDevice: SystemError { SystemError(number: ENXIO) }
    /// ENOSPC: the disk is full.
    package static var noSpace: SystemError { SystemError(number: ENOSPC) }
    /// EDQUOT: the user's quota on the disk is full.
    package static var quotaExceeded: SystemError { SystemError(number: EDQUOT) }
    /// EFBIG: the file would be longer than the file system or RLIMIT_FSIZE allows.
    package static var fileTooLarge: SystemError { SystemError(number: EFBIG) }
    /// EROFS: the file system is mounted read-only.
    package static var readOnlyFileSystem: SystemError { SystemError(number: EROFS) }
    /// EIO: the device failed, or the terminal is closed.
    package static var inputOutput: SystemError { SystemError(number: EIO) }
    /// EINTR: a signal interrupted the call.
    package static var interrupted: SystemError { SystemError(number: EINTR) }
    /// EAGAIN: the call would have to wait.
    package static var wouldBlock: SystemError { SystemError(number: EAGAIN) }
    /// EPIPE: no process reads the other end.
    package static var brokenPipe: SystemError { SystemError(number: EPIPE) }
    /// ECONNRESET: the peer closed the socket.
    package static var connectionReset: SystemError { SystemError(number: ECONNRESET) }
    /// EMFILE: the process has as many descriptors as RLIMIT_NOFILE allows.
    package static var tooManyOpenFiles: SystemError { SystemError(number: EMFILE) }
    /// EINVAL: an argument is not valid.
    package static var invalidArgument: SystemError { SystemError(number: EINVAL) }
}

/// Repeats a system call while signals interrupt it.
func retryingInterrupted<Value: FixedWidthInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}

/// Repeats a system call while signals interrupt it.
///
/// - Throws: the call's error if it returns -1.
@discardableResult
func checked<Value: FixedWidthInteger>(_ call: () -> Value) throws(SystemError) -> Value {
    let value = retryingInterrupted(call)
    guard value != -1 else { throw .last }
    return value
}
