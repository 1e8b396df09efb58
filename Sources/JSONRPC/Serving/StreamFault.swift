internal import Platform

/// Why a stream can no longer be read or written.
package struct StreamFault: Error, CustomStringConvertible, Sendable {
    /// The call that failed: `read` or `write`.
    let call: String
    let error: SystemError
    /// Whether the peer has closed its end, which is not an error: it may need no more replies.
    let isHangUp: Bool

    /// Describes a call that has just failed.
    init(call: String, on descriptor: FileDescriptor, _ error: SystemError) {
        self.call = call
        self.error = error
        switch error {
        // Some hosts pass a socket instead of a pipe.
        case .brokenPipe, .connectionReset: isHangUp = true
        // A terminal that was closed, or a disk that cannot read or write a file.
        case .inputOutput: isHangUp = Readiness.hasHungUp(descriptor)
        default: isHangUp = false
        }
    }

    /// The call and its error, for the administrator.
    package var description: String { "\(call): \(error)" }
}
