internal import CLibrary

/// A pipe whose ends are close-on-exec: a child process does not inherit them unless they are passed to it.
///
/// The flag is set when the pipe is created. If it were set later, a child that another thread starts in between would
/// keep the ends open, and a reader that waits for the end of the input would wait for that child.
package struct Pipe: Sendable {
    /// The descriptor to read from.
    package let reader: FileDescriptor
    /// The descriptor to write to.
    package let writer: FileDescriptor

    /// Creates a pipe.
    ///
    /// - Parameter blocks: whether a read waits for bytes and a write waits for room.
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
