internal import Platform

/// Why a stream can no longer be read or written.
package struct StreamFault: Error, CustomStringConvertible, Sendable {
    /// The call that failed: `read` or `write`.
    let call: String
    /// What the system says.
    let error: SystemError
    /// Whether it is that the peer is gone, as it may be when it has what it wants.
    let isHangUp: Bool

    /// The fault of a call that has just failed.
    init(call: String, on descriptor: FileDescriptor, _ error: SystemError) {
        self.call = call
        self.error = error
        switch error {
        // Some hosts give a socket for a pipe.
        case .brokenPipe, .connectionReset: isHangUp = true
        // A terminal that was closed, or a file that the disk cannot give or take.
        case .inputOutput: isHangUp = Readiness.hasHungUp(descriptor)
        default: isHangUp = false
        }
    }

    package var description: String { "\(call): \(error)" }
}
