internal import Glibc

/// Why a stream cannot be served any more.
package struct StreamFault: Error, CustomStringConvertible, Sendable {
    /// What was tried: `read` or `write`.
    let call: String
    /// What the system says.
    let number: Int32

    /// Whether it is that the peer is gone, as it may be when it has what it wants. Some hosts give a socket for a pipe.
    var isHangUp: Bool { number == EPIPE || number == ECONNRESET }

    package var description: String { "\(call): \(String(cString: strerror(number)))" }
}
