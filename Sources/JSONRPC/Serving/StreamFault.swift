internal import Glibc

/// Why a stream can no longer be read or written.
package struct StreamFault: Error, CustomStringConvertible, Sendable {
    /// The call that failed: `read` or `write`.
    let call: String
    /// Its `errno`.
    let number: Int32
    /// Whether the peer has closed its end, which is not an error: it may need no more replies.
    let isHangUp: Bool

    /// Describes a call that has just failed.
    init(call: String, on descriptor: Int32, number: Int32 = errno) {
        self.call = call
        self.number = number
        switch number {
        // Some hosts pass a socket instead of a pipe.
        case EPIPE, ECONNRESET: isHangUp = true
        // A terminal that was closed, or a disk that cannot read or write a file.
        case EIO: isHangUp = Self.hasHungUp(descriptor)
        default: isHangUp = false
        }
    }

    private static func hasHungUp(_ descriptor: Int32) -> Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0
    }

    package var description: String { "\(call): \(String(cString: strerror(number)))" }
}
