internal import Platform
import Store

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
    /// The same, as system calls take it.
    let systemName: SystemString
    let descriptor: FileDescriptor
    /// Whether the file was created when it was opened.
    let isNew: Bool
    private let calls: any SystemCalls

    /// Opens a file in a directory. A file that is created gets mode 0600, independent of the umask, and the owner of
    /// the store's files.
    ///
    /// - Throws: `StoreError.denied`; `.damaged` if the name belongs to something other than a regular file;
    ///   `.systemCall`.
    init(_ name: String, in directory: Directory, _ mode: Mode, calls: any SystemCalls) throws(StoreError) {
        if mode == .replacing { try directory.unlinkIfPresent(name) }
        systemName = SystemString(name)
        let (descriptor, isNew): (FileDescriptor, Bool)
        do throws(SystemError) {
            (descriptor, isNew) = try Self.open(systemName, in: directory.descriptor, mode, calls)
        } catch .isDirectory, .noSuchDevice, .tooManySymbolicLinks {
            // Opening a directory, a socket or a link fails with these errors.
            throw Self.notRegular(name)
        } catch {
            throw directory.failure(of: "open", name, error)
        }
        self.name = name
        self.descriptor = descriptor
        self.isNew = isNew
        self.calls = calls
        do throws(StoreError) {
            let status = try regularStatus()
            if isNew { try giveToOwner(of: directory) }
            // An existing file that other users can read is made private, if this user may do so.
            let isOwn = status.owner.isCurrent || CurrentProcess.isPrivileged
            if mode == .creating, isOwn, status.permissions & 0o077 != 0 { try restrict(in: directory) }
        } catch {
            if isNew { try directory.unlink(name) }
            throw error
        }
    }

    /// - Returns: the descriptor, and whether the file was created.
    private static func open(
        _ name: SystemString,
        in directory: FileDescriptor,
        _ mode: Mode,
        _ calls: any SystemCalls
    ) throws(SystemError) -> (descriptor: FileDescriptor, isNew: Bool) {
        // Without `.notWaiting`, opening a pipe would wait for its other end. It has no effect on a regular file.
        let common: OpenOptions = .notFollowingLinks | .notWaiting
        switch mode {
        case .reading: return (try calls.open(name, in: directory, common | .reading), false)
        case .writing: return (try calls.open(name, in: directory, common | .readingAndWriting), false)
        case .new, .replacing:
            return (try calls.open(name, in: directory, common | .readingAndWriting | .creating), true)
        case .creating:
            while true {
                do throws(SystemError) {
                    return (try calls.open(name, in: directory, common | .readingAndWriting), false)
                } catch .noSuchFile {}
                do throws(SystemError) {
                    return (try calls.open(name, in: directory, common | .readingAndWriting | .creating), true)
                } catch .fileExists {
                    // Another process may have created it in the meantime.
                }
            }
        }
    }

    /// The file's status. Throws if it is not a regular file, for example a pipe or a device, which have no offsets.
    private func regularStatus() throws(StoreError) -> FileStatus {
        let status: FileStatus
        do throws(SystemError) {
            status = try calls.status(of: descriptor)
        } catch {
            throw .failed("stat \(name)", error)
        }
        guard status.kind == .regular else { throw Self.notRegular(name) }
        return status
    }

    private static func notRegular(_ name: String) -> StoreError {
        .damaged(file: name, offset: 0, reason: "it is not a regular file")
    }

    /// Allows only the file's owner to open it.
    private func restrict(in directory: Directory) throws(StoreError) {
        do throws(SystemError) {
            try calls.setMode(0o600, of: descriptor)
        } catch {
            throw directory.failure(of: "chmod", name, error)
        }
    }

    /// Sets the mode and the owner of a new file.
    private func giveToOwner(of directory: Directory) throws(StoreError) {
        // A umask removes permissions from the mode of a new file, even the owner's.
        try restrict(in: directory)
        let owner = directory.filesOwner
        guard !owner.isCurrent else { return }
        do throws(SystemError) {
            try calls.setOwner(owner, of: descriptor)
        } catch {
            throw .denied(path: "\(directory.path)", owner: Int(owner.user), user: Int(CurrentProcess.user))
        }
    }

    deinit {
        calls.close(descriptor)
    }

    /// The file's length in bytes, and the number of its names, which is 0 after it was unlinked.
    func status() throws(StoreError) -> (bytes: Int, links: Int) {
        do throws(SystemError) {
            return try calls.lengthAndLinks(of: descriptor)
        } catch {
            throw .failed("stat \(name)", error)
        }
    }

    /// The file's identity and the time of its last change.
    func stamp() throws(StoreError) -> FileStamp {
        do throws(SystemError) {
            return try calls.status(of: descriptor).stamp
        } catch {
            throw .failed("stat \(name)", error)
        }
    }

    /// The bytes from `offset` up to, but not including, `end`; fewer if the file ends before `end`.
    func contents(from offset: Int, upTo end: Int) throws(StoreError) -> [UInt8] {
        do throws(SystemError) {
            return try calls.contents(of: descriptor, from: offset, upTo: end)
        } catch {
            throw .failed("read \(name)", error)
        }
    }

    /// The byte at `offset`; nil if the file ends before it.
    func byte(at offset: Int) throws(StoreError) -> UInt8? {
        do throws(SystemError) {
            return try calls.byte(of: descriptor, at: offset)
        } catch {
            throw .failed("read \(name)", error)
        }
    }

    /// Maps the start of the file for reading.
    func map(byteCount: Int) throws(SystemError) -> MappedPages {
        try calls.map(descriptor, byteCount: byteCount)
    }

    /// Maps the words at the start of the file, to share them with other processes.
    func shareWords(count: Int) throws(SystemError) -> any SharedWords {
        try calls.shareWords(of: descriptor, count: count)
    }

    /// Writes all of `bytes` at `offset`. If it throws, an unknown part of them is written.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        do throws(SystemError) {
            try calls.writeAll(bytes, to: descriptor, at: offset)
        } catch {
            throw .failed("write \(name)", error)
        }
    }

    /// Makes all bytes that were written durable, and the file's length.
    func sync() throws(StoreError) {
        do throws(SystemError) {
            try calls.syncContents(of: descriptor)
        } catch {
            throw .failed("sync \(name)", error)
        }
    }

    func truncate(to length: Int) throws(StoreError) {
        do throws(SystemError) {
            try calls.setLength(of: descriptor, to: length)
        } catch {
            throw .failed("truncate \(name)", error)
        }
    }
}
