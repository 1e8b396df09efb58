internal import CLibrary

/// An open file, directory, pipe, terminal or socket of this process. Only `close()` closes it.
package struct FileDescriptor: Hashable, Sendable {
    /// Its number.
    package let rawValue: Int32

    /// The descriptor with the given number.
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Descriptor 0.
    package static var standardInput: FileDescriptor { FileDescriptor(rawValue: 0) }
    /// Descriptor 1.
    package static var standardOutput: FileDescriptor { FileDescriptor(rawValue: 1) }
    /// Descriptor 2.
    package static var standardError: FileDescriptor { FileDescriptor(rawValue: 2) }

    /// Closes it. It must not be used afterwards.
    package func close() {
        _ = systemClose(rawValue)
    }

    // MARK: Reading

    /// Reads the available bytes, at most the buffer's length, with one call of read(2). Returns their number; 0 at the
    /// end.
    ///
    /// - Throws: `SystemError`; `.interrupted` if a signal arrives before any byte is read.
    package func readOnce(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        let count = systemRead(rawValue, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw .last }
        return count
    }

    /// Reads the available bytes, at most the array's length. Returns their number; 0 at the end. A call that a signal
    /// interrupts is repeated.
    package func read(into piece: inout [UInt8]) throws(SystemError) -> Int {
        let length = piece.count
        return try checked { systemRead(rawValue, &piece, length) }
    }

    /// Reads from the current position to the end, but at most `bytesMax + 1` bytes. A result longer than `bytesMax`
    /// means that the file is longer.
    package func contents(bytesMax: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(Self.pieceBytes, max(1, bytesMax)))
        while bytes.count <= bytesMax {
            let count = try read(into: &piece)
            guard count > 0 else { break }
            bytes += piece[...min(count - 1, bytesMax - bytes.count)]
        }
        return bytes
    }

    /// The maximum bytes that `contents(bytesMax:)` reads with one call.
    private static let pieceBytes = 64 << 10

    // MARK: Properties

    /// Whether it is a terminal.
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Sets whether reading waits for bytes and writing waits for room. The setting belongs to the open file, so it
    /// also applies to other processes that share the open file.
    package func setBlocking(_ blocks: Bool) throws(SystemError) {
        let flags = try checked { fcntl(rawValue, F_GETFL) }
        try checked { fcntl(rawValue, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) }
    }

    /// A second descriptor of the same open file, numbered 3 or higher, that child processes do not inherit.
    package func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(rawValue: try checked { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
    }

    /// Closes this descriptor's open file, and makes the descriptor refer to that of `other`: dup2(2).
    package func becomeDuplicate(of other: FileDescriptor) throws(SystemError) {
        try checked { dup2(other.rawValue, rawValue) }
    }

    /// Makes the written bytes and the file's length durable; for a directory, its names: fsync(2).
    package func sync() throws(SystemError) {
        try checked { fsync(rawValue) }
    }

    /// Sets the permission bits.
    package func setMode(_ mode: UInt32) throws(SystemError) {
        try checked { fchmod(rawValue, mode_t(mode)) }
    }

    /// Sets the owner.
    package func setOwner(_ owner: FileOwner) throws(SystemError) {
        try checked { fchown(rawValue, owner.user, owner.group) }
    }
}

// Methods above have the names of these C functions, and would hide them inside the struct.

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
