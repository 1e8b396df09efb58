internal import CLibrary

/// Writes all given bytes, with as many system calls as needed.
package enum WholeWrite {
    /// Writes bytes to a descriptor. Calls that a signal interrupts are repeated.
    ///
    /// - Parameters:
    ///   - pieceBytesMax: the maximum bytes of one call.
    ///   - whenBlocked: called if a non-blocking descriptor takes no bytes at the moment (EAGAIN). It waits until the
    ///     descriptor may take bytes and returns true, or returns false to give up.
    ///   - progress: called after each call with the number of bytes it has written.
    /// - Returns: the error of the call that failed; nil if all bytes were written.
    package static func run(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: FileDescriptor,
        pieceBytesMax: Int = .max,
        whenBlocked: () -> Bool = { false },
        progress: (Int) -> Void = { _ in }
    ) -> SystemError? {
        run(bytes, pieceBytesMax: pieceBytesMax, whenBlocked: whenBlocked, progress: progress) { piece, _ in
            write(descriptor.rawValue, piece.baseAddress, piece.count)
        }
    }

    /// The same with any system call that writes.
    ///
    /// - Parameter call: writes a piece, which starts at an offset in `bytes`. It returns the number of bytes that it
    ///   has written, or -1, with `errno` set.
    static func run(
        _ bytes: UnsafeRawBufferPointer,
        pieceBytesMax: Int = .max,
        whenBlocked: () -> Bool = { false },
        progress: (Int) -> Void = { _ in },
        call: (UnsafeRawBufferPointer, _ offset: Int) -> Int
    ) -> SystemError? {
        var written = 0
        while written < bytes.count {
            // After a short write, the rest is written with another call, which reports the reason if it fails.
            let count = call(UnsafeRawBufferPointer(rebasing: bytes[written...].prefix(pieceBytesMax)), written)
            if count > 0 {
                written += count
                progress(count)
            } else if count == 0 {
                // No device should write 0 bytes, but if one does, the loop must not run forever.
                return .inputOutput
            } else if case let error = SystemError.last, error != .interrupted {
                guard error == .wouldBlock, whenBlocked() else { return error }
            }
        }
        return nil
    }

    /// Writes bytes to a descriptor like `run`, but a pipe without a reader causes only the error EPIPE, and no
    /// SIGPIPE, which would end the process. It is for code that must not change the signal handlers of its process.
    ///
    /// The system sends SIGPIPE to the writing thread, which blocks the signal during the write and then consumes the
    /// one that the write caused.
    package static func runWithoutSIGPIPE(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: FileDescriptor,
        progress: (Int) -> Void = { _ in }
    ) -> SystemError? {
        var (pipe, before) = (sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let error = run(bytes, to: descriptor, progress: progress)
        var pending = sigset_t()
        if error == .brokenPipe, sigpending(&pending) == 0, sigismember(&pending, SIGPIPE) == 1 {
            // It is pending on this thread, so this does not wait.
            var number: Int32 = 0
            sigwait(&pipe, &number)
        }
        return error
    }
}
