internal import CLinux
internal import Glibc

/// A pipe, neither end of which is inherited by a child process unless it is handed to it.
///
/// The ends are made so from the beginning: a child that another thread starts in between would keep them open, and
/// whoever waits for the end of the input would wait for that child.
package struct Pipe: Sendable {
    /// The end that is read from.
    package let reader: Int32
    /// The end that is written to.
    package let writer: Int32

    /// Makes a pipe; nil, with `errno` set, where there is none to be had.
    ///
    /// - Parameter blocks: whether reading waits for something to read, and writing for room.
    package init?(blocks: Bool = true) {
        var ends: [Int32] = [-1, -1]
        guard linux_pipe2(&ends, O_CLOEXEC | (blocks ? 0 : O_NONBLOCK)) == 0 else { return nil }
        (reader, writer) = (ends[0], ends[1])
    }
}
