internal import CLibrary

/// The calls in the system's form as functions that throw. All but the last two repeat a call that a signal interrupts.
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

    /// The bytes of a file from `offset` up to, but not including, `end`; fewer if the file ends before `end`.
    package func contents(
        of file: FileDescriptor,
        from offset: Int,
        upTo end: Int
    ) throws(SystemError) -> [UInt8] {
        guard end > offset else { return [] }
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: end - offset) { buffer, filled in
            while filled < end - offset {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled..<(end - offset)])
                let count = retryingInterrupted { read(file, UnsafeMutableRawBufferPointer(rest), offset + filled) }
                if count < 0 { failure = .last }
                guard count > 0 else { break }
                filled += count
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The byte of a file at `offset`; nil if the file ends before it.
    package func byte(of file: FileDescriptor, at offset: Int) throws(SystemError) -> UInt8? {
        var byte: UInt8 = 0
        let count = withUnsafeMutableBytes(of: &byte) { buffer in retryingInterrupted { read(file, buffer, offset) } }
        guard count >= 0 else { throw .last }
        return count == 1 ? byte : nil
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
