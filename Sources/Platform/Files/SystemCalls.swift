internal import CLibrary

/// The system calls with which the store changes files or locks them. They are parameters so that a test can make any
/// of them fail.
///
/// Each returns what the system returns: -1, with `errno` set, if it fails.
package struct SystemCalls {
    /// pwrite(2): descriptor, bytes, offset.
    package var write: (FileDescriptor, UnsafeRawBufferPointer, Int) -> Int
    /// fdatasync(2).
    package var sync: (FileDescriptor) -> Int32
    /// ftruncate(2): descriptor, length.
    package var truncate: (FileDescriptor, Int) -> Int32
    /// flock(2): descriptor, operation.
    package var lock: (FileDescriptor, Int32) -> Int32
    /// fsync(2) of a directory.
    package var syncDirectory: (FileDescriptor) -> Int32
    /// renameat(2) in one directory: its descriptor, the old name and the new one.
    package var rename: (FileDescriptor, SystemString, SystemString) -> Int32
    /// unlinkat(2): the directory's descriptor, the name.
    package var unlink: (FileDescriptor, String) -> Int32

    /// The system's own calls.
    package static var real: SystemCalls {
        SystemCalls(
            write: { pwrite($0.rawValue, $1.baseAddress, $1.count, off_t($2)) },
            sync: { syncData($0.rawValue) },
            truncate: { ftruncate($0.rawValue, off_t($1)) },
            lock: { flock($0.rawValue, $1) },
            syncDirectory: { fsync($0.rawValue) },
            rename: { renameat($0.rawValue, $1.cString, $0.rawValue, $2.cString) },
            unlink: { unlinkat($0.rawValue, $1, 0) }
        )
    }
}

/// fdatasync(2), or its equivalent on macOS.
private func syncData(_ descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
        // Untested. On macOS, fsync(2) leaves the bytes in the disk's cache.
        fcntl(descriptor, F_FULLFSYNC)
    #else
        fdatasync(descriptor)
    #endif
}

/// The same calls as functions that throw. All but the last two repeat a call that a signal interrupts.
extension SystemCalls {
    /// Writes all of `bytes` at an offset. If it throws, an unknown part of them is written.
    package func writeAll(
        _ bytes: [UInt8],
        to file: FileDescriptor,
        at offset: Int
    ) throws(SystemError) {
        let error = bytes.withUnsafeBytes { bytes in
            WholeWrite.run(bytes) { piece, written in write(file, piece, offset + written) }
        }
        if let error { throw error }
    }

    /// Makes the bytes and the length of a file durable.
    package func syncContents(of file: FileDescriptor) throws(SystemError) {
        try checked { sync(file) }
    }

    /// Sets a file's length.
    package func setLength(of file: FileDescriptor, to length: Int) throws(SystemError) {
        try checked { truncate(file, length) }
    }

    /// Makes the names in a directory durable.
    package func syncNames(of directory: FileDescriptor) throws(SystemError) {
        try checked { syncDirectory(directory) }
    }

    /// Takes the exclusive lock of an open file; false if another open file has it.
    package func takeLockIfFree(of file: FileDescriptor) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try checked { lock(file, LOCK_EX | LOCK_NB) }
            return true
        } catch  where error == .wouldBlock {
            return false
        }
    }

    /// Releases the lock of an open file.
    package func releaseLock(of file: FileDescriptor) {
        _ = retryingInterrupted { lock(file, LOCK_UN) }
    }

    /// Renames an entry of a directory. An existing entry with the new name is replaced.
    package func renameEntry(
        _ name: SystemString,
        to newName: SystemString,
        in directory: FileDescriptor
    ) throws(SystemError) {
        guard rename(directory, name, newName) == 0 else { throw .last }
    }

    /// Removes the name of a file from a directory.
    package func unlinkEntry(_ name: String, in directory: FileDescriptor) throws(SystemError) {
        guard unlink(directory, name) == 0 else { throw .last }
    }
}
