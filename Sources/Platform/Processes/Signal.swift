internal import CLibrary

/// A signal, and how this process reacts to it.
package struct Signal: Hashable, Sendable {
    /// Its number.
    package let number: Int32

    /// The signal with the given number.
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
    /// SIGPIPE: the process wrote to a pipe that no process reads.
    package static var brokenPipe: Signal { Signal(number: SIGPIPE) }
    /// SIGXFSZ: a write would make a file longer than RLIMIT_FSIZE allows.
    package static var fileTooLarge: Signal { Signal(number: SIGXFSZ) }
    /// SIGBUS: a page of a mapped file cannot be read.
    package static var busError: Signal { Signal(number: SIGBUS) }

    /// A function that runs when a signal arrives. It may make only async-signal-safe calls (signal-safety(7)).
    package typealias Handler = @convention(c) (Int32) -> Void

    /// Ignores the signal.
    package func ignore() {
        signal(number, SIG_IGN)
    }

    /// Restores the system's default action for the signal.
    package func restoreDefault() {
        signal(number, SIG_DFL)
    }

    /// Runs a function each time the signal arrives.
    ///
    /// - Parameter restartsCalls: whether system calls that the signal interrupts are restarted (SA_RESTART), and a
    ///   child that is stopped, not ended, causes no signal (SA_NOCLDSTOP).
    package func handle(restartsCalls: Bool = false, _ handler: Handler) {
        var action = sigaction()
        #if canImport(Darwin)
            // Untested.
            action.__sigaction_u.__sa_handler = handler
        #else
            linux_set_handler(&action, handler)
        #endif
        if restartsCalls { action.sa_flags = SA_RESTART | SA_NOCLDSTOP }
        sigaction(number, &action, nil)
    }

    /// Whether the process ignores the signal.
    package var isIgnored: Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Darwin)
            // Untested.
            let handler = action.__sigaction_u.__sa_handler
        #else
            let handler = linux_handler(&action)
        #endif
        // SIG_IGN is the address 1. No function has that address.
        return unsafeBitCast(handler, to: Int.self) == 1
    }

    /// Sends the signal to the calling thread. It is async-signal-safe.
    package func raise() {
        raiseSignal(number)
    }

    /// Blocks all signals in the calling thread, so that it runs no handler: other threads do.
    package static func blockAll() {
        var set = sigset_t()
        sigfillset(&set)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Unblocks signals in the calling thread.
    package static func unblock(_ signals: [Signal]) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}

/// raise(3). A method above has the same name, and would hide it inside the struct.
private func raiseSignal(_ number: Int32) {
    raise(number)
}
