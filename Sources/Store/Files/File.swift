internal import CLinux
internal import Glibc

/// An open file of the store: a descriptor that is closed with it.
///
/// Calls that a signal interrupts are made again. Nothing here is buffered.
final class File {
    /// How a file is opened.
    enum Mode {
        /// To be read; it must be there.
        case reading
        /// To be read and written; it must be there.
        case writing
        /// To be read and written; made if it is not there.
        case creating
        /// To be read and written; made, in place of what was there.
        case replacing
        /// To be read and written; made, and must not have been there.
        case new
    }

    /// The file's name within its directory, for errors.
    let name: String
    let descriptor: Int32
    /// Whether it was made when it was opened.
    let isNew: Bool
    private let calls: SystemCalls

    /// Opens a file of a directory. A file that is made has mode 0600, whatever the umask, and belongs to the owner of
    /// the store's files.
    ///
    /// - Throws: `StoreError.denied`, `.damaged` where the name is that of something else than a file, `.systemCall`.
    init(_ name: String, in directory: Directory, _ mode: Mode, calls: SystemCalls) throws(StoreError) {
        if mode == .replacing { try directory.unlinkIfPresent(name) }
        let (descriptor, isNew) = Self.open(name, in: directory.descriptor, mode)
        guard descriptor >= 0 else {
            // A directory, a socket and a link cannot be opened so.
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
            // What others left readable is closed to them, where that is this user's to do.
            let isOwn = status.st_uid == geteuid() || geteuid() == 0
            if mode == .creating, isOwn, status.st_mode & 0o077 != 0 { try restrict(in: directory) }
        } catch {
            if isNew { try directory.unlink(name) }
            throw error
        }
    }

    /// - Returns: the descriptor, -1 with `errno` set where there is none, and whether the file was made.
    private static func open(_ name: String, in directory: Int32, _ mode: Mode) -> (descriptor: Int32, isNew: Bool) {
        // Opening a pipe would wait for its other end without O_NONBLOCK, which does nothing to a file.
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
                // Another process may have made it meanwhile.
                if made >= 0 || errno != EEXIST { return (made, true) }
            }
        }
    }

    /// What the system knows of the file; refuses what is none, such as a pipe or a device, in which bytes have no place.
    private func regularStatus() throws(StoreError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(name) }
        return status
    }

    private static func notRegular(_ name: String) -> StoreError {
        .damaged(file: name, offset: 0, reason: "it is not a regular file")
    }

    /// Lets none but the file's owner open it.
    private func restrict(in directory: Directory) throws(StoreError) {
        guard fchmod(descriptor, 0o600) == 0 else { throw directory.failure(of: "chmod", name) }
    }

    /// Sets the mode and the owner of a file that was just made.
    private func giveToOwner(of directory: Directory) throws(StoreError) {
        // A umask takes bits away from the mode that a file is made with, even from its owner.
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

    /// The file's length in bytes and how many names it has; none once it was unlinked.
    ///
    /// Its times are not asked for: a file whose times were looked at gets new ones with the next write (Linux 6.13), and
    /// they would have to reach the disk with it, which makes a sync half as long again.
    func status() throws(StoreError) -> (bytes: Int, links: Int) {
        var (bytes, links) = (0, 0)
        if linux_length_and_links(descriptor, &bytes, &links) == 0 { return (bytes, links) }
        // A system may know no statx, or a sandbox forbid it.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        return (status.st_size, Int(status.st_nlink))
    }

    /// Which file it is, and when it was changed.
    func stamp() throws(StoreError) -> FileStamp {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .failed("stat \(name)") }
        return FileStamp(status)
    }

    /// The bytes from `offset` up to, not including, `end`, or fewer where the file ends before it.
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

    /// The byte at `offset`; nil where the file ends before it.
    func byte(at offset: Int) throws(StoreError) -> UInt8? {
        var byte: UInt8 = 0
        let count = retryingInterrupted { pread(descriptor, &byte, 1, offset) }
        guard count >= 0 else { throw .failed("read \(name)") }
        return count == 1 ? byte : nil
    }

    /// Writes all of `bytes` at `offset`; how much of them is written when it throws is unknown.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                retryingInterrupted {
                    calls.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]), offset + written)
                }
            }
            // A short write is followed by one for the rest, which tells what is in the way.
            // A device that takes nothing would be asked for ever.
            if count == 0 { errno = EIO }
            guard count > 0 else { throw .failed("write \(name)") }
            written += count
        }
    }

    /// Waits until all that was written is on the disk, the file's length included.
    func sync() throws(StoreError) {
        guard retryingInterrupted({ calls.sync(descriptor) }) == 0 else { throw .failed("sync \(name)") }
    }

    func truncate(to length: Int) throws(StoreError) {
        guard retryingInterrupted({ calls.truncate(descriptor, length) }) == 0 else {
            throw .failed("truncate \(name)")
        }
    }
}
