internal import CLinux
internal import Glibc

/// An open file of the store. Its descriptor is closed when the object is freed.
///
/// Calls that a signal interrupts are repeated. Nothing is buffered.
final class File {
    /// How to open a file.
    enum Mode {
        /// For reading. The file must exist.
        case reading
        /// For reading and writing. The file must exist.
        case writing
        /// For reading and writing. The file is created if it does not exist.
        case creating
        /// For reading and writing. The file is created, and replaces an existing one.
        case replacing
        /// For reading and writing. The file is created, and must not exist.
        case new
    }

    /// The file's name in its directory, for errors.
    let name: String
    let descriptor: Int32
    /// Whether the file was created when it was opened.
    let isNew: Bool
    private let calls: SystemCalls

    /// Opens a file in a directory. A file that is created gets mode 0600, independent of the umask, and the owner of
    /// the store's files.
    ///
    /// - Throws: `StoreError.denied`; `.damaged` if the name belongs to something other than a regular file;
    ///   `.systemCall`.
    init(_ name: String, in directory: Directory, _ mode: Mode, calls: SystemCalls) throws(StoreError) {
        if mode == .replacing { try directory.unlinkIfPresent(name) }
        let (descriptor, isNew) = Self.open(name, in: directory.descriptor, mode)
        guard descriptor >= 0 else {
            // Opening a directory, a socket or a link fails with these errors.
            if [EISDIR, ENXIO, ELOOP].contains(errno) { throw Self.notRegular(name) }
            throw directory.failure(of: "open", name)
        }
        self.name = name
        self.descriptor = descriptor
        self.isNew = isNew
        self.calls = calls
        do throws(StoreError) {
            let status = try regularStatus()
            if isNew { try giveToOwner(of: directory) }
            // An existing file that other users can read is made private, if this user may do so.
            let isOwn = status.st_uid == geteuid() || geteuid() == 0
            if mode == .creating, isOwn, status.st_mode & 0o077 != 0 { try restrict(in: directory) }
        } catch {
            if isNew { try directory.unlink(name) }
            throw error
        }
    }

    /// - Returns: the descriptor, or -1 with `errno` set; and whether the file was created.
    private static func open(_ name: String, in directory: Int32, _ mode: Mode) -> (descriptor: Int32, isNew: Bool) {
        // Without O_NONBLOCK, opening a pipe would wait for its other end. The flag has no effect on a regular file.
        let common = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        func attempt(_ flags: Int32) -> Int32 {
            retryingInterrupted { openat(directory, name, flags | common, 0o600) }
        }
        switch mode {
        case .reading: return (attempt(O_RDONLY), false)
        case .writing: return (attempt(O_RDWR), false)
        case .new, .replacing: return (attempt(O_RDWR | O_CREAT | O_EXCL), true)
        case .creating:
            while true {
                let present = attempt(O_RDWR)
                if present >= 0 || errno != ENOENT { return (present, false) }
                let made = attempt(O_RDWR | O_CREAT | O_EXCL)
                // Another process may have created it in the meantime.
                if made >= 0 || errno != EEXIST { return (made, true) }
            }
        }
    }

    /// The file's status. Throws if it is not a regular file, for example a pipe or a device, which have no offsets.
    private func regularStatus() throws(StoreError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(name) }
        return status
    }

    private static func notRegular(_ name: String) -> StoreError {
        .damaged(file: name, offset: 0, reason: "it is not a regular file")
    }

    /// Allows only the file's owner to open it.
    private func restrict(in directory: Directory) throws(StoreError) {
        guard fchmod(descriptor, 0o600) == 0 else { throw directory.failure(of: "chmod", name) }
    }

    /// Sets the mode and the owner of a new file.
    private func giveToOwner(of directory: Directory) throws(StoreError) {
        // A umask removes permissions from the mode of a new file, even the owner's.
        try restrict(in: directory)
        let owner = directory.filesOwner
        guard !owner.isCurrent else { return }
        guard fchown(descriptor, owner.user, owner.group) == 0 else {
            throw .denied(path: "\(directory.path)", owner: Int(owner.user), user: Int(geteuid()))
        }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// The file's length in bytes, and the number of its links, which is 0 after it was unlinked.
    ///
    /// The times are not requested. After a request for a file's times, the next write updates them (Linux 6.13). They
    /// then have to reach the disk too, which makes a sync half as long again.
    func status() throws(StoreError) -> (bytes: Int, links: Int) {
        var (bytes, links) = (0, 0)
        if linux_length_and_links(descriptor, &bytes, &links) == 0 { return (bytes, links) }
        // Some systems do not have statx, and a sandbox may forbid it.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        return (status.st_size, Int(status.st_nlink))
    }

    /// The file's identity and the time of its last change.
    func stamp() throws(StoreError) -> FileStamp {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        return FileStamp(status)
    }

    /// The bytes from `offset` up to, but not including, `end`; fewer if the file ends before `end`.
    func contents(from offset: Int, upTo end: Int) throws(StoreError) -> [UInt8] {
        guard end > offset else { return [] }
        var failure: StoreError?
        let bytes = [UInt8](unsafeUninitializedCapacity: end - offset) { buffer, filled in
            while filled < end - offset {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled..<(end - offset)])
                let count = retryingInterrupted { pread(descriptor, rest.baseAddress, rest.count, offset + filled) }
                if count < 0 { failure = .failed("read \(name)") }
                guard count > 0 else { break }
                filled += count
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The byte at `offset`; nil if the file ends before it.
    func byte(at offset: Int) throws(StoreError) -> UInt8? {
        var byte: UInt8 = 0
        let count = retryingInterrupted { pread(descriptor, &byte, 1, offset) }
        guard count >= 0 else { throw .failed("read \(name)") }
        return count == 1 ? byte : nil
    }

    /// Writes all of `bytes` at `offset`. If it throws, an unknown part of them is written.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                retryingInterrupted {
                    calls.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]), offset + written)
                }
            }
            // After a short write, the rest is written with another call, which reports the reason if it fails. A
            // device that accepts no bytes is an error, because the loop would never end.
            if count == 0 { errno = EIO }
            guard count > 0 else { throw .failed("write \(name)") }
            written += count
        }
    }

    /// Makes all bytes that were written durable, and the file's length.
    func sync() throws(StoreError) {
        guard retryingInterrupted({ calls.sync(descriptor) }) == 0 else { throw .failed("sync \(name)") }
    }

    func truncate(to length: Int) throws(StoreError) {
        guard retryingInterrupted({ calls.truncate(descriptor, length) }) == 0 else {
            throw .failed("truncate \(name)")
        }
    }
}
