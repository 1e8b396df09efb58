import Glibc
import Store
import Platform

/// A new file that only its owner can read, or stdout.
final class OutputFile {
    private let path: SystemString
    private let descriptor: Int32
    private let isOwned: Bool

    static var standardOutput: OutputFile { OutputFile(descriptor: 1) }

    /// Creates a file. It fails if the path exists, also as a symbolic link.
    init(creating path: SystemString) throws(CommandError) {
        (self.path, isOwned) = (path, true)
        descriptor = open(path.cString, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure }
        // A umask can remove permissions of the owner.
        guard fchmod(descriptor, 0o600) == 0 else { throw failure }
    }

    private init(descriptor: Int32) {
        (path, self.descriptor, isOwned) = ("stdout", descriptor, false)
    }

    deinit {
        if isOwned, descriptor >= 0 { close(descriptor) }
    }

    /// Whether it is a regular file that other users can read.
    var isReadableByOthers: Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return status.st_mode & 0o077 != 0
    }

    func write(_ bytes: [UInt8]) throws(CommandError) {
        if let error = bytes.withUnsafeBytes({ WholeWrite.run($0, to: descriptor) }) { throw failure(error) }
    }

    /// Syncs a file that was created (fsync).
    func finish() throws(CommandError) {
        guard !isOwned || fsync(descriptor) == 0 else { throw failure }
    }

    /// Removes a file that was created and could not be completed.
    func discard() {
        if isOwned { unlink(path.cString) }
    }

    /// The error of the last system call.
    private var failure: CommandError { failure(errno) }

    private func failure(_ number: Int32) -> CommandError { .failed("\(path): \(String(cString: strerror(number)))") }
}
