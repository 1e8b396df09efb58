internal import CLibrary

/// Reads the names of the files in a directory.
package enum DirectoryNames {
    /// The names in the directory at a path, in byte order. A name that is not UTF-8 is returned with escapes.
    ///
    /// - Throws: `FailedCall`, which names the path.
    package static func of(_ path: SystemString) throws(FailedCall) -> [String] {
        try read(retryingInterrupted { openat(AT_FDCWD, path.cString, flags) }, path)
    }

    /// The names in an open directory.
    ///
    /// - Parameter path: the directory's path, for errors.
    package static func of(_ directory: FileDescriptor, _ path: SystemString) throws(FailedCall) -> [String] {
        // The stream closes its descriptor, so it gets a separate one.
        try read(retryingInterrupted { openat(directory.rawValue, ".", flags) }, path)
    }

    private static let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    /// Reads the names from a descriptor, and closes it.
    private static func read(_ descriptor: Int32, _ path: SystemString) throws(FailedCall) -> [String] {
        guard descriptor >= 0 else { throw FailedCall("open \(path)", .last) }
        guard let stream = fdopendir(descriptor) else {
            let error = SystemError.last
            close(descriptor)
            throw FailedCall("read \(path)", error)
        }
        defer { closedir(stream) }
        var names: [String] = []
        // Only errno distinguishes a failure from the end of the directory.
        errno = 0
        while let entry = readdir(stream) {
            // The entry is only as long as its name, so it is read in place: a copy of `d_name` would read 256 bytes.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { SystemString(bytes: $0).description }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        let error = SystemError.last
        guard error.number == 0 else { throw FailedCall("read \(path)", error) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
