#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A signal, and how this process takes it.
package struct Signal: Hashable, Sendable {
    /// The number that the system gives it.
    package let number: Int32

    /// The signal with a number.
    package init(number: Int32) {
        self.number = number
    }

    /// SIGTERM: asks a process to end.
    package static var terminate: Signal { Signal(number: SIGTERM) }
    /// SIGINT: Ctrl-C in a terminal.
    package static var interrupt: Signal { Signal(number: SIGINT) }
    /// SIGHUP: the terminal was closed.
    package static var hangUp: Signal { Signal(number: SIGHUP) }
    /// SIGKILL: ends a process at once.
    package static var kill: Signal { Signal(number: SIGKILL) }
    /// SIGCHLD: a child process has ended.
    package static var childEnded: Signal { Signal(number: SIGCHLD) }
    /// SIGPIPE: no process reads what is written.
    package static var brokenPipe: Signal { Signal(number: SIGPIPE) }
    /// SIGXFSZ: a file would be longer than RLIMIT_FSIZE allows.
    package static var fileTooLarge: Signal { Signal(number: SIGXFSZ) }
    /// SIGBUS: a page of a mapped file cannot be had.
    package static var busError: Signal { Signal(number: SIGBUS) }

    /// What runs when a signal comes. It may make async-signal-safe calls only (signal-safety(7)).
    package typealias Handler = @convention(c) (Int32) -> Void

    /// Ignores it.
    package func ignore() {
        signal(number, SIG_IGN)
    }

    /// Gives it the system's default action.
    package func restoreDefault() {
        signal(number, SIG_DFL)
    }

    /// Runs a function whenever it comes.
    ///
    /// - Parameter restartsCalls: whether calls that it interrupts go on, and a child that is only stopped causes none.
    package func handle(restartsCalls: Bool = false, _ handler: Handler) {
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = handler
        #elseif canImport(Musl)
            // Untested.
            action.__sa_handler.sa_handler = handler
        #elseif canImport(Darwin)
            // Untested.
            action.__sigaction_u.__sa_handler = handler
        #endif
        if restartsCalls { action.sa_flags = SA_RESTART | SA_NOCLDSTOP }
        sigaction(number, &action, nil)
    }

    /// Whether the process ignores it.
    package var isIgnored: Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #elseif canImport(Musl)
            // Untested.
            let handler = action.__sa_handler.sa_handler
        #elseif canImport(Darwin)
            // Untested.
            let handler = action.__sigaction_u.__sa_handler
        #endif
        // SIG_IGN is the address 1, which no function has.
        return unsafeBitCast(handler, to: Int.self) == 1
    }

    /// Sends it to the calling thread. It may be called in a signal handler.
    package func raise() {
        raiseSignal(number)
    }

    /// Lets the calling thread receive signals that it has blocked.
    package static func unblock(_ signals: [Signal]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}

/// raise(3), whose name is that of a method above.
private func raiseSignal(_ number: Int32) {
    raise(number)
}
