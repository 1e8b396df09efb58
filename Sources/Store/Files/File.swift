internal import Platform

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
    let descriptor: FileDescriptor
    /// Whether it was made when it was opened.
    let isNew: Bool
    private let calls: SystemCalls

    /// Opens a file of a directory. A file that is made has mode 0600, whatever the umask, and belongs to the owner of
    /// the store's files.
    ///
    /// - Throws: `StoreError.denied`, `.damaged` where the name is that of something else than a file, `.systemCall`.
    init(_ name: String, in directory: Directory, _ mode: Mode, calls: SystemCalls) throws(StoreError) {
        if mode == .replacing { try directory.unlinkIfPresent(name) }
        let (descriptor, isNew): (FileDescriptor, Bool)
        do throws(SystemError) {
            (descriptor, isNew) = try Self.open(name, in: directory.descriptor, mode)
        } catch .isDirectory, .noSuchDevice, .tooManySymbolicLinks {
            // A directory, a socket and a link cannot be opened so.
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
            // What others left readable is closed to them, where that is this user's to do.
            let isOwn = status.owner.isCurrent || CurrentProcess.isPrivileged
            if mode == .creating, isOwn, status.permissions & 0o077 != 0 { try restrict(in: directory) }
        } catch {
            if isNew { try directory.unlink(name) }
            throw error
        }
    }

    /// - Returns: the descriptor, and whether the file was made.
    private static func open(
        _ name: String,
        in directory: FileDescriptor,
        _ mode: Mode
    ) throws(SystemError) -> (descriptor: FileDescriptor, isNew: Bool) {
        // Opening a pipe would wait for its other end otherwise.
        let common: OpenOptions = [.notFollowingLinks, .notWaiting]
        switch mode {
        case .reading: return (try directory.open(name, common.union(.reading)), false)
        case .writing: return (try directory.open(name, common.union(.readingAndWriting)), false)
        case .new, .replacing: return (try directory.open(name, common.union([.readingAndWriting, .creating])), true)
        case .creating:
            while true {
                do throws(SystemError) {
                    return (try directory.open(name, common.union(.readingAndWriting)), false)
                } catch .noSuchFile {}
                do throws(SystemError) {
                    return (try directory.open(name, common.union([.readingAndWriting, .creating])), true)
                } catch .fileExists {
                    // Another process has made it meanwhile.
                }
            }
        }
    }

    /// What the system knows of the file; refuses what is none, such as a pipe or a device, in which bytes have no place.
    private func regularStatus() throws(StoreError) -> FileStatus {
        let status = try fileStatus()
        guard status.kind == .regular else { throw Self.notRegular(name) }
        return status
    }

    private func fileStatus() throws(StoreError) -> FileStatus {
        do throws(SystemError) {
            return try FileStatus(of: descriptor)
        } catch {
            throw .failed("stat \(name)", error)
        }
    }

    private static func notRegular(_ name: String) -> StoreError {
        .damaged(file: name, offset: 0, reason: "it is not a regular file")
    }

    /// Lets none but the file's owner open it.
    private func restrict(in directory: Directory) throws(StoreError) {
        do throws(SystemError) {
            try descriptor.setMode(0o600)
        } catch {
            throw directory.failure(of: "chmod", name, error)
        }
    }

    /// Sets the mode and the owner of a file that was just made.
    private func giveToOwner(of directory: Directory) throws(StoreError) {
        // A umask takes bits away from the mode that a file is made with, even from its owner.
        try restrict(in: directory)
        let owner = directory.filesOwner
        guard !owner.isCurrent else { return }
        do throws(SystemError) {
            try descriptor.setOwner(owner)
        } catch {
            throw .denied(path: "\(directory.path)", owner: Int(owner.user), user: Int(CurrentProcess.user))
        }
    }

    deinit {
        descriptor.close()
    }

    /// The file's length in bytes and how many names it has; none once it was unlinked.
    func status() throws(StoreError) -> (bytes: Int, links: Int) {
        do throws(SystemError) {
            return try descriptor.lengthAndLinks()
        } catch {
            throw .failed("stat \(name)", error)
        }
    }

    /// Which file it is, and when it was changed.
    func stamp() throws(StoreError) -> FileStamp {
        try fileStatus().stamp
    }

    /// The bytes from `offset` up to, not including, `end`, or fewer where the file ends before it.
    func contents(from offset: Int, upTo end: Int) throws(StoreError) -> [UInt8] {
        do throws(SystemError) {
            return try descriptor.contents(from: offset, upTo: end)
        } catch {
            throw .failed("read \(name)", error)
        }
    }

    /// The byte at `offset`; nil where the file ends before it.
    func byte(at offset: Int) throws(StoreError) -> UInt8? {
        do throws(SystemError) {
            return try descriptor.byte(at: offset)
        } catch {
            throw .failed("read \(name)", error)
        }
    }

    /// Writes all of `bytes` at `offset`; how much of them is written when it throws is unknown.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        do throws(SystemError) {
            try calls.writeAll(bytes, to: descriptor, at: offset)
        } catch {
            throw .failed("write \(name)", error)
        }
    }

    /// Waits until all that was written is on the disk, the file's length included.
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
