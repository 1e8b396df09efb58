internal import CLinux
internal import Glibc

/// A pipe whose ends are close-on-exec: a child process does not inherit them unless they are passed to it.
///
/// The flag is set when the pipe is created. If it were set later, a child that another thread starts in between would
/// keep the ends open, and a reader that waits for the end of the input would wait for that child.
package struct Pipe: Sendable {
    /// The descriptor to read from.
    package let reader: Int32
    /// The descriptor to write to.
    package let writer: Int32

    /// Creates a pipe; nil, with `errno` set, if that fails.
    ///
    /// - Parameter blocks: whether a read waits for bytes and a write waits for room.
    package init?(blocks: Bool = true) {
        var ends: [Int32] = [-1, -1]
        guard linux_pipe2(&ends, O_CLOEXEC | (blocks ? 0 : O_NONBLOCK)) == 0 else { return nil }
        (reader, writer) = (ends[0], ends[1])
    }
}
