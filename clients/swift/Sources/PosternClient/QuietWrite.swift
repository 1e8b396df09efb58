import Glibc

/// write(2) that fails with EPIPE if the pipe has no reader, and causes no SIGPIPE, which would end the host.
///
/// It does not change the host's signal handlers: the system sends SIGPIPE to the writing thread, which blocks the
/// signal during the write and consumes the one that the write caused.
func writeQuietly(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Result<Int, SystemError> {
    var (pipe, before) = (sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    let count = write(descriptor, bytes.baseAddress, bytes.count)
    let code = errno
    if count == -1, code == EPIPE {
        var now = timespec()
        while sigtimedwait(&pipe, nil, &now) == -1, errno == EINTR {}
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    return count == -1 ? .failure(SystemError(code: code)) : .success(count)
}

/// The errno of a failed system call.
struct SystemError: Error {
    let code: Int32
}

/// This process's stderr.
enum StandardError {
    /// Writes a line; drops the rest of it if a write fails.
    static func write(line: String) {
        var line = line + "\n"
        line.withUTF8 { text in
            var rest = UnsafeRawBufferPointer(text)
            while !rest.isEmpty {
                switch writeQuietly(rest, to: STDERR_FILENO) {
                case .success(let count): rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                case .failure(let error): guard error.code == EINTR else { return }
                }
            }
        }
    }
}
