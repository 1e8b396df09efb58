internal import Glibc

/// Why a stream cannot be served any more.
package struct StreamFault: Error, CustomStringConvertible, Sendable {
    /// What was tried: `read` or `write`.
    let call: String
    /// What the system says.
    let number: Int32
    /// Whether it is that the peer is gone, as it may be when it has what it wants.
    let isHangUp: Bool

    /// The fault of a call that has just failed.
    init(call: String, on descriptor: Int32, number: Int32 = errno) {
        self.call = call
        self.number = number
        switch number {
        // Some hosts give a socket for a pipe.
        case EPIPE, ECONNRESET: isHangUp = true
        // A terminal that was closed, or a file that the disk cannot give or take.
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
