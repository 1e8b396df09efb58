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
        /// To be read and written; made empty, whatever was there.
        case replacing
        /// To be read and written; made, and must not have been there.
        case new
    }

    /// The file's name within its directory, for errors.
    let name: String
    let descriptor: Int32
    private let calls: SystemCalls

    /// Opens a file of a directory. A file that is made has mode 0600, whatever the umask.
    init(_ name: String, in directory: Int32, _ mode: Mode, calls: SystemCalls) throws(StoreError) {
        let flags =
            switch mode {
            case .reading: O_RDONLY
            case .writing: O_RDWR
            case .creating: O_RDWR | O_CREAT
            case .replacing: O_RDWR | O_CREAT | O_TRUNC
            case .new: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = retryingInterrupted { openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard descriptor >= 0 else { throw .failed("open \(name)") }
        self.name = name
        self.descriptor = descriptor
        self.calls = calls
        // A umask takes bits away from the mode that a file is made with, even from its owner.
        if flags & O_CREAT != 0, fchmod(descriptor, 0o600) != 0 { throw .failed("chmod \(name)") }
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
            guard count >= 0 else { throw .failed("write \(name)") }
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
