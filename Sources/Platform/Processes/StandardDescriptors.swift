// `stdout` is a variable, which nobody sets.
#if canImport(Glibc)
    @preconcurrency internal import Glibc
#elseif canImport(Musl)
    @preconcurrency internal import Musl
#elseif canImport(Darwin)
    @preconcurrency internal import Darwin
#endif

/// The descriptors 0, 1 and 2 of this process.
package enum StandardDescriptors {
    /// Makes sure that 0, 1 and 2 are taken: where a host has closed one, a file of the store would get its number, and
    /// be read as requests or written to as a log. What was closed has no input, and cannot take output.
    package static func occupy() {
        for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest number that is free is the one that was found closed.
            _ = open("/dev/null", mode)
        }
    }

    /// Writes what the standard library has buffered for stdout.
    ///
    /// - Throws: `SystemError`, also if an earlier write failed.
    package static func flushOutput() throws(SystemError) {
        let isFlushed = fflush(stdout) == 0
        guard isFlushed && ferror(stdout) == 0 else { throw .last }
    }
}
