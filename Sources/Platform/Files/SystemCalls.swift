internal import CLibrary

/// The system as a store sees it: files, names, locks, shared memory, clocks and threads.
///
/// The default implementations are the system's own calls. They can be replaced, so that a test can make a call fail,
/// and so that a simulation can run stores without a disk, a clock and other processes.
///
/// The first calls have the form of the system's: they return -1, with `errno` set, if they fail. The other ones throw,
/// and repeat calls that a signal interrupts.
package protocol SystemCalls: AnyObject {
    // MARK: Changing files

    /// pwrite(2): file, bytes, offset.
    func write(_ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
    /// fdatasync(2).
    func sync(_ file: FileDescriptor) -> Int32
    /// ftruncate(2): file, length.
    func truncate(_ file: FileDescriptor, _ length: Int) -> Int32
    /// flock(2): file, operation.
    func lock(_ file: FileDescriptor, _ operation: Int32) -> Int32
    /// fsync(2) of a directory.
    func syncDirectory(_ directory: FileDescriptor) -> Int32
    /// renameat(2) in one directory: its descriptor, the old name and the new one.
    func rename(_ directory: FileDescriptor, _ name: SystemString, _ newName: SystemString) -> Int32
    /// unlinkat(2): the directory's descriptor, the name.
    func unlink(_ directory: FileDescriptor, _ name: String) -> Int32

    // MARK: Files

    /// pread(2): file, buffer, offset.
    func read(_ file: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int
    /// Opens a name in a directory, or a path. A file that is created gets mode 0600, less what the umask removes.
    func open(
        _ name: SystemString,
        in directory: FileDescriptor?,
        _ options: OpenOptions
    ) throws(SystemError) -> FileDescriptor
    /// Closes a file or directory.
    func close(_ file: FileDescriptor)
    /// The status of an open file or directory.
    func status(of file: FileDescriptor) throws(SystemError) -> FileStatus
    /// The file's length in bytes, and the number of its names; see `FileDescriptor.lengthAndLinks()`.
    func lengthAndLinks(of file: FileDescriptor) throws(SystemError) -> (bytes: Int, links: Int)
    /// Sets the permission bits of an open file or directory.
    func setMode(_ mode: UInt32, of file: FileDescriptor) throws(SystemError)
    /// Sets the owner of an open file.
    func setOwner(_ owner: FileOwner, of file: FileDescriptor) throws(SystemError)
    /// Maps the start of a file for reading.
    func map(_ file: FileDescriptor, byteCount: Int) throws(SystemError) -> MappedPages
    /// Maps the words at the start of a file, which must be as long, to share them with other processes.
    func shareWords(of file: FileDescriptor, count: Int) throws(SystemError) -> any SharedWords

    // MARK: Names

    /// The status of the file that a path leads to; links are followed.
    func status(at path: SystemString) throws(SystemError) -> FileStatus
    /// The status of an entry of a directory; a link is not followed.
    func status(of name: SystemString, in directory: FileDescriptor) throws(SystemError) -> FileStatus
    /// The names in an open directory, in byte order.
    ///
    /// - Parameter path: the directory's path, for errors.
    func names(in directory: FileDescriptor, _ path: SystemString) throws(FailedCall) -> [String]
    /// Creates a directory in another one, or at a path. The umask removes bits from its mode.
    func makeDirectory(_ name: SystemString, in directory: FileDescriptor?, mode: UInt32) throws(SystemError)
    /// Removes an empty directory from another one.
    func removeDirectory(_ name: SystemString, in directory: FileDescriptor) throws(SystemError)
    /// Sets the permission bits of an entry of a directory, or of the file at a path.
    func setMode(_ mode: UInt32, of name: SystemString, in directory: FileDescriptor?) throws(SystemError)

    // MARK: File systems

    /// The bytes that the file system of a directory has free for this user.
    func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int
    /// The name of a file system that cannot be trusted; see `FileSystem.untrustedName(of:)`.
    func untrustedFileSystem(of directory: FileDescriptor) throws(SystemError) -> String?
    /// The process that holds the flock of a file; nil if the system does not report it.
    func lockHolder(of file: FileStamp) -> Int?

    // MARK: Clocks, threads and randomness

    /// Milliseconds on a clock that is never set.
    var monotonicMilliseconds: Int { get }
    /// The Unix time in seconds.
    var unixSeconds: Int { get }
    /// Suspends the calling thread.
    func sleep(microseconds: Int)
    /// Lets other threads run.
    func yield()
    /// Runs `body` on a new thread. Returns false, without running it, if no thread can be started.
    func startThread(_ body: @escaping @Sendable () -> Void) -> Bool
    /// Lowers the priority of the calling thread permanently.
    func lowerPriority()
    /// A random UUID.
    func randomUUID() -> String
}

/// The system's own calls.
package final class RealCalls: SystemCalls, Sendable {
    /// There is only one system.
    package static let shared = RealCalls()
}

extension SystemCalls where Self == RealCalls {
    /// The system's own calls.
    package static var real: RealCalls { .shared }
}

extension SystemCalls {
    package func write(_ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        pwrite(file.rawValue, bytes.baseAddress, bytes.count, off_t(offset))
    }

    package func sync(_ file: FileDescriptor) -> Int32 {
        #if canImport(Darwin)
            // Untested. On macOS, fsync(2) leaves the bytes in the disk's cache.
            fcntl(file.rawValue, F_FULLFSYNC)
        #else
            fdatasync(file.rawValue)
        #endif
    }

    package func truncate(_ file: FileDescriptor, _ length: Int) -> Int32 { ftruncate(file.rawValue, off_t(length)) }

    package func lock(_ file: FileDescriptor, _ operation: Int32) -> Int32 { flock(file.rawValue, operation) }

    package func syncDirectory(_ directory: FileDescriptor) -> Int32 { fsync(directory.rawValue) }

    package func rename(_ directory: FileDescriptor, _ name: SystemString, _ newName: SystemString) -> Int32 {
        renameat(directory.rawValue, name.cString, directory.rawValue, newName.cString)
    }

    package func unlink(_ directory: FileDescriptor, _ name: String) -> Int32 { unlinkat(directory.rawValue, name, 0) }

    package func read(_ file: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int {
        pread(file.rawValue, buffer.baseAddress, buffer.count, off_t(offset))
    }

    package func open(
        _ name: SystemString,
        in directory: FileDescriptor?,
        _ options: OpenOptions
    ) throws(SystemError) -> FileDescriptor {
        if let directory { try directory.open(name, options) } else { try .open(name, options) }
    }

    package func close(_ file: FileDescriptor) { file.close() }

    package func status(of file: FileDescriptor) throws(SystemError) -> FileStatus { try FileStatus(of: file) }

    package func lengthAndLinks(of file: FileDescriptor) throws(SystemError) -> (bytes: Int, links: Int) {
        try file.lengthAndLinks()
    }

    package func setMode(_ mode: UInt32, of file: FileDescriptor) throws(SystemError) { try file.setMode(mode) }

    package func setOwner(_ owner: FileOwner, of file: FileDescriptor) throws(SystemError) {
        try file.setOwner(owner)
    }

    package func map(_ file: FileDescriptor, byteCount: Int) throws(SystemError) -> MappedPages {
        try MappedPages(reading: file, byteCount: byteCount)
    }

    package func shareWords(of file: FileDescriptor, count: Int) throws(SystemError) -> any SharedWords {
        try MappedWords(of: file, count: count)
    }

    package func status(at path: SystemString) throws(SystemError) -> FileStatus { try FileStatus(at: path) }

    package func status(of name: SystemString, in directory: FileDescriptor) throws(SystemError) -> FileStatus {
        try FileStatus(of: name, in: directory)
    }

    package func names(in directory: FileDescriptor, _ path: SystemString) throws(FailedCall) -> [String] {
        try DirectoryNames.of(directory, path)
    }

    package func makeDirectory(
        _ name: SystemString,
        in directory: FileDescriptor?,
        mode: UInt32
    ) throws(SystemError) {
        guard let directory else { return try DirectoryEntries.makeDirectory(name, mode: mode) }
        try DirectoryEntries.makeDirectory(name, in: directory, mode: mode)
    }

    package func removeDirectory(_ name: SystemString, in directory: FileDescriptor) throws(SystemError) {
        try DirectoryEntries.removeDirectory(name, in: directory)
    }

    package func setMode(
        _ mode: UInt32,
        of name: SystemString,
        in directory: FileDescriptor?
    ) throws(SystemError) {
        guard let directory else { return try DirectoryEntries.setMode(mode, of: name) }
        try DirectoryEntries.setMode(mode, of: name, in: directory)
    }

    package func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int {
        try FileSystem.freeBytes(of: directory)
    }

    package func untrustedFileSystem(of directory: FileDescriptor) throws(SystemError) -> String? {
        try FileSystem.untrustedName(of: directory)
    }

    package func lockHolder(of file: FileStamp) -> Int? { LockHolder.process(holding: file) }

    package var monotonicMilliseconds: Int { MonotonicClock.milliseconds }

    package var unixSeconds: Int { SystemClock.seconds }

    package func sleep(microseconds: Int) { Thread.sleep(microseconds: microseconds) }

    package func yield() { Thread.yield() }

    package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool { Thread.start(body) }

    package func lowerPriority() { Thread.lowerPriority() }

    package func randomUUID() -> String { UUIDText.random() }
}
