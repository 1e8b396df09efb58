import Glibc
import JSONRPC
import Service
import Synchronization
import Platform

/// Whether SIGTERM, SIGINT or SIGHUP was received.
private let isTerminated = Atomic(false)
private let wakeUp = WakeUp()

extension Command {
    /// Serves until the input ends or a signal ends the process.
    func serve(_ options: Options) throws(CommandError) {
        guard let wakeUp else {
            throw .failed("no file descriptor is free: raise the limit on file descriptors (ulimit -n)")
        }
        let wiring = try Wiring(options, hashesElsewhere: true, wakeUp: wakeUp)
        // Moves replies to a new descriptor and points descriptor 1 at stderr, so that a stray print cannot break the
        // stream of replies.
        let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
        guard output >= 0, dup2(2, 1) >= 0 else {
            let isLimit = errno == EMFILE || errno == EINVAL
            throw .failed("stdout cannot be used\(isLimit ? ": raise the limit on file descriptors (ulimit -n)" : "")")
        }
        let isTerminal = isatty(0) == 1
        if isTerminal {
            let request = #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#
            StandardError.write(
                line: "postern: the store is \(options.data); type one request per line, such as \(request); ^D ends"
            )
        }
        stopOnSignals()
        var tasks = wiring.tasks
        if getpid() == 1 {
            wakeForOrphans()
            tasks.append {
                ChildProcesses.reapOrphans()
                return nil
            }
        }
        wiring.log.write(.info, "serving \(options.data)")
        let server = Server(
            input: 0,
            output: output,
            executor: .inline(wiring.service),
            order: options.order,
            // On a terminal, a mistyped first line must not select header framing for the whole session.
            framing: options.framing ?? (isTerminal ? .line : .auto),
            tasks: tasks,
            wakeUp: wakeUp,
            isStopped: { isTerminated.load(ordering: .acquiring) }
        )
        defer { wiring.finish() }
        do throws(StreamFault) {
            try server.run()
        } catch {
            throw .failed("requests and replies: \(error)")
        }
        if let loss = server.loss { throw .failed(loss) }
        wiring.log.write(.info, isTerminated.load(ordering: .acquiring) ? "stopped by a signal" : "end of input")
    }

    /// Makes SIGTERM, SIGINT and SIGHUP end the input, except those that the host has set to be ignored. Every request
    /// that was read is then answered. A second signal ends the process at once.
    private func stopOnSignals() {
        _ = wakeUp
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            if isTerminated.exchange(true, ordering: .acquiringAndReleasing) {
                signal(number, SIG_DFL)
                raise(number)
                // The default action of a signal does not end the first process of a PID namespace.
                if getpid() == 1 { _exit(128 + number) }
            }
            wakeUp?.send()
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] where !isIgnored(signal) {
            sigaction(signal, &action, nil)
            sigaddset(&signals, signal)
        }
        // A process inherits the signals that its host's thread blocks, and some hosts block all signals.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Whether a signal was ignored when the program started, as under nohup or for a background job of a shell.
    private func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        // SIG_IGN is the address 1. No function has that address.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// Wakes the loop when an orphaned process ends. The first process of a PID namespace becomes the parent of
    /// orphans.
    private func wakeForOrphans() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in wakeUp?.send() }
        action.sa_flags = SA_RESTART | SA_NOCLDSTOP
        sigaction(SIGCHLD, &action, nil)
        // The host's thread may block SIGCHLD too.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGCHLD)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
