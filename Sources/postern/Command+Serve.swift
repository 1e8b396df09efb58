import Glibc
import JSONRPC
import Synchronization
import Threads

/// Whether SIGTERM or SIGINT has come.
private let isTerminated = Atomic(false)
private let wakeUp = WakeUp()

extension Command {
    /// Serves until the input ends or the process is asked to end.
    func serve(_ options: Options) throws(CommandError) {
        let wiring = try Wiring(options, hashesElsewhere: true, wakeUp: wakeUp)
        // A stray print must not break the stream: replies go to a descriptor of their own, and 1 is stderr from now on.
        let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
        guard output >= 0, dup2(2, 1) >= 0 else { throw .failed("stdout cannot be used") }
        let isTerminal = isatty(0) == 1
        if isTerminal {
            let request = #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#
            StandardError.write(
                line: "postern: the store is \(options.data); type a request a line, such as \(request); ^D ends"
            )
        }
        stopOnSignals()
        wiring.log.write(.info, "serving \(options.data)")
        let server = Server(
            input: 0,
            output: output,
            handler: wiring.service,
            order: options.order,
            // Whoever types makes slips, and a first letter would make them headers for good.
            framing: options.framing ?? (isTerminal ? .line : .auto),
            wakeUp: wakeUp,
            isStopped: { isTerminated.load(ordering: .acquiring) }
        )
        defer { wiring.finish() }
        do throws(StreamFault) {
            try server.run()
        } catch {
            throw .failed("requests and replies: \(error)")
        }
        wiring.log.write(.info, isTerminated.load(ordering: .acquiring) ? "asked to end" : "end of input")
    }

    /// Lets a signal end the input; a second one ends the process, should that take too long.
    private func stopOnSignals() {
        _ = wakeUp
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            isTerminated.store(true, ordering: .releasing)
            wakeUp.send()
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT] {
            sigaction(signal, &action, nil)
            sigaddset(&signals, signal)
        }
        // A process inherits what its host's thread blocks, and some hosts block all they can.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
