#if canImport(Glibc) || canImport(Musl)
    internal import CLinux
#endif
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A pipe, neither end of which is inherited by a child process unless it is handed to it.
///
/// The ends are made so from the beginning: a child that another thread starts in between would keep them open, and
/// whoever waits for the end of the input would wait for that child.
package struct Pipe: Sendable {
    /// The end that is read from.
    package let reader: FileDescriptor
    /// The end that is written to.
    package let writer: FileDescriptor

    /// Makes a pipe.
    ///
    /// - Parameter blocks: whether reading waits for something to read, and writing for room.
    package init(blocks: Bool = true) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
            // Untested. A child that another thread starts between the calls inherits the ends.
            guard pipe(&ends) == 0 else { throw .last }
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                if !blocks { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            }
        #else
            guard linux_pipe2(&ends, O_CLOEXEC | (blocks ? 0 : O_NONBLOCK)) == 0 else { throw .last }
        #endif
        (reader, writer) = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }
}
