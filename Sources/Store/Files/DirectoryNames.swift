internal import Glibc

/// Reads the names of the files in a directory.
package enum DirectoryNames {
    /// The names in the directory at a path, in byte order. A name that is not UTF-8 is returned with escapes.
    ///
    /// - Throws: `StoreError.systemCall`.
    package static func of(_ path: SystemString) throws(StoreError) -> [String] {
        try read(retryingInterrupted { open(path.cString, flags) }, path)
    }

    /// The names in an open directory.
    ///
    /// - Parameter path: the directory's path, for errors.
    static func of(_ descriptor: Int32, _ path: SystemString) throws(StoreError) -> [String] {
        // The stream closes its descriptor, so it gets a separate one.
        try read(retryingInterrupted { openat(descriptor, ".", flags) }, path)
    }

    private static let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    /// Reads the names from a descriptor, and closes it.
    private static func read(_ descriptor: Int32, _ path: SystemString) throws(StoreError) -> [String] {
        guard descriptor >= 0 else { throw .failed("open \(path)") }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            throw .failed("read \(path)")
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
        guard errno == 0 else { throw .failed("read \(path)") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
