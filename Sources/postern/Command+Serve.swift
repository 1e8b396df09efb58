import JSONRPC
import Service
import Synchronization
import Platform

/// Whether SIGTERM, SIGINT or SIGHUP was received.
private let isTerminated = Atomic(false)
private let wakeUp = WakeUp()

extension Command {
    /// Serves until the input ends or a signal stops it.
    ///
    /// The calls of one request, here `operators.client.create`, with the folders in which to read on:
    ///
    ///     Server.run                            JSONRPC/Serving: polls, reads up to 1 MiB
    ///       Connection.receive                  JSONRPC/Scheduling: executes the messages of one read as a group
    ///         MessageReader.next                JSONRPC/Framing: cuts a message, parses its envelope
    ///         Connection.admit                  executes it, or queues it behind earlier messages of its lane
    ///           InlineExecutor.execute          for a UnitOfWork: stages its writes and its reply
    ///             Service.execute, .call        finds the method; calls it, and maps its errors to replies
    ///               Service.callHandler         Service/Generated: parses the params, calls the handler
    ///                 OperatorsHandlers.clientCreate
    ///                   Operators.createClient  Accounts/Operators: the rule
    ///                     Store.write           Store: one transaction
    ///                       LocalEngine.write   DirectoryStore: takes the lock, reads unread transactions of other
    ///                                           processes, runs the rule. If another process keeps the lock, a rule
    ///                                           that writes gets `.locked`: Service returns a pause as slow work,
    ///                                           Connection.resume executes the request again, and after --lock-wait
    ///                                           it is `busy`
    ///         InlineExecutor.commit             commits the group with one sync, through Service and Store
    ///           LocalEngine.makeDurable         Journal.write appends the lines; unlocks; Journal.sync syncs the file
    ///           InlineExecutor.repeatOneByOne   if that failed, as on a full disk: each unit again, alone
    ///           ReplyBuffer.release             lets the replies leave
    ///       OutputWriter.write                  writes them to stdout
    func serve(_ options: Options) throws(CommandError) {
        guard let wakeUp else {
            throw .failed("no file descriptor is free: raise the limit on file descriptors (ulimit -n)")
        }
        let wiring = try Wiring(options, hasLoop: true, wakeUp: wakeUp)
        // Moves replies to a new descriptor and points descriptor 1 at stderr, so that a stray print cannot break the
        // stream of replies.
        let output: FileDescriptor
        do throws(SystemError) {
            output = try FileDescriptor.standardOutput.duplicate()
            try FileDescriptor.standardOutput.becomeDuplicate(of: .standardError)
        } catch {
            let isLimit = error == .tooManyOpenFiles || error == .invalidArgument
            throw .failed("stdout cannot be used\(isLimit ? ": raise the limit on file descriptors (ulimit -n)" : "")")
        }
        let isTerminal = FileDescriptor.standardInput.isTerminal
        if isTerminal {
            let request = #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#
            StandardError.write(
                line:
                    "postern: the store is \(options.location); type one request per line, such as \(request); ^D ends"
            )
        }
        stopOnSignals()
        var tasks = wiring.tasks
        if CurrentProcess.number == 1 {
            wakeForOrphans()
            tasks.append {
                ChildProcesses.reapOrphans()
                return nil
            }
        }
        wiring.log.write(.info, "serving \(options.location)")
        let server = Server(
            input: .standardInput,
            output: output,
            executor: wiring.executor,
            order: options.order,
            // On a terminal, a mistyped first line must not select header framing for the whole session.
            framing: options.framing ?? (isTerminal ? .line : .auto),
            tasks: tasks,
            host: wiring.host,
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
    /// that was read then gets its reply. A second signal ends the process at once.
    private func stopOnSignals() {
        _ = wakeUp
        // A signal that was ignored when the program started, as under nohup or for a background job of a shell, stays
        // ignored.
        let signals = [Signal.terminate, .interrupt, .hangUp].filter { !$0.isIgnored }
        for signal in signals {
            signal.handle { number in
                if isTerminated.exchange(true, ordering: .acquiringAndReleasing) {
                    Signal(number: number).restoreDefault()
                    Signal(number: number).raise()
                    // The default action of a signal does not end the first process of a PID namespace.
                    if CurrentProcess.number == 1 { CurrentProcess.endAtOnce(status: 128 + number) }
                }
                wakeUp?.send()
            }
        }
        // A process inherits the signals that its host's thread blocks, and some hosts block all signals.
        Signal.unblock(signals)
    }

    /// Wakes the loop when an orphaned process ends. The first process of a PID namespace becomes the parent of
    /// orphans.
    private func wakeForOrphans() {
        Signal.childEnded.handle(restartsCalls: true) { _ in wakeUp?.send() }
        // The host's thread may block SIGCHLD too.
        Signal.unblock([.childEnded])
    }
}
