// `stdout` is a C variable that the compiler does not know to be safe. The program never assigns it.
@preconcurrency internal import CLibrary

/// The descriptors 0, 1 and 2 of this process.
package enum StandardDescriptors {
    /// Opens those of the descriptors 0, 1 and 2 that the host has closed. Otherwise a file of the store would get the
    /// number, and would be read as requests or written to as a log. A replaced stdin is empty, and writing to a
    /// replaced stdout fails.
    package static func occupy() {
        for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // open(2) returns the lowest free number, which is `descriptor`.
            _ = open("/dev/null", mode)
        }
    }

    /// Writes the text that is buffered for stdout: fflush(3).
    ///
    /// - Throws: `SystemError`, also if an earlier write failed.
    package static func flushOutput() throws(SystemError) {
        guard fflush(stdout) == 0 else { throw .last }
        // An earlier write failed, and its errno is gone.
        guard ferror(stdout) == 0 else { throw .inputOutput }
    }
}
