#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Writes all of some bytes, with as many calls of write(2) as it takes.
package enum WholeWrite {
    /// Writes bytes to a descriptor. A signal does not end it.
    ///
    /// - Parameters:
    ///   - pieceBytesMax: how much is handed to one call.
    ///   - whenBlocked: called where a descriptor that does not block takes nothing at the moment (EAGAIN); returns once it
    ///     may take more, or false to give up.
    ///   - progress: called with how many bytes a call has written.
    /// - Returns: the error of the call that failed; nil where all was written.
    package static func run(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: FileDescriptor,
        pieceBytesMax: Int = .max,
        whenBlocked: () -> Bool = { false },
        progress: (Int) -> Void = { _ in }
    ) -> SystemError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(pieceBytesMax))
            let count = write(descriptor.rawValue, piece.baseAddress, piece.count)
            if count > 0 {
                rest = rest.dropFirst(count)
                progress(count)
            } else if count == 0 {
                // No device should take nothing of something, and a loop over one that does would never end.
                return .inputOutput
            } else if case let error = SystemError.last, error != .interrupted {
                guard error == .wouldBlock, whenBlocked() else { return error }
            }
        }
        return nil
    }
}
