internal import CLibrary
internal import Synchronization

/// The child processes that this process has started, and those that it inherits as the first process of a PID
/// namespace.
package enum ChildProcesses {
    /// The ids of the processes that callers of `reap` wait for. A process is started and inserted, or reaped and
    /// removed, under one lock, so an id in the set never belongs to another process that reuses it.
    private static let awaited = Mutex(Set<pid_t>())

    /// Starts a process whose status the caller takes with `reap`.
    ///
    /// - Parameter start: starts the process and returns its id, or throws.
    package static func start<Failure: Error>(_ start: () throws(Failure) -> Int32) throws(Failure) -> Int32 {
        let outcome = awaited.withLock { awaited -> Result<pid_t, Failure> in
            do throws(Failure) {
                let process = try start()
                awaited.insert(process)
                return .success(process)
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Takes the status of a process that was started with `start`; nil while it runs. A second call for a process
    /// returns `.unknown`.
    package static func reap(_ process: Int32) -> ProcessEnd? {
        awaited.withLock { awaited in
            guard awaited.contains(process) else { return .unknown }
            var status: Int32 = 0
            let ended = waitpid(process, &status, WNOHANG)
            if ended == 0 || ended == -1 && errno == EINTR { return nil }
            awaited.remove(process)
            return ended == -1 ? .unknown : ProcessEnd(status: status)
        }
    }

    /// Waits until a process that was started with `start` has ended, and takes its status. If several threads wait for
    /// it, only one gets the status, and the others get `.unknown`.
    package static func waitForEnd(of process: Int32) -> ProcessEnd {
        var information = siginfo_t()
        while true {
            // WNOWAIT keeps the zombie until `reap` has the lock, so that `send` cannot signal another process with its
            // id.
            _ = retryingInterrupted { waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) }
            if let end = reap(process) { return end }
        }
    }

    /// Sends a signal to a process that was started with `start`. Does nothing if the process is reaped: the system may
    /// have given its id to another process.
    package static func send(_ signal: Signal, to process: Int32) {
        awaited.withLock { awaited in
            if awaited.contains(process) { kill(process, signal.number) }
        }
    }

    /// Reaps every ended child that was not started with `start`. A process that a mail command leaves behind becomes a
    /// child of the first process of the PID namespace, and stays a zombie until that process takes its status.
    package static func reapOrphans() {
        awaited.withLock { awaited in
            while true {
                var information = siginfo_t()
                guard waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                #if canImport(Darwin)
                    // Untested.
                    let process = information.si_pid
                #else
                    let process = linux_child(&information)
                #endif
                // A process in `awaited` is reaped soon by its caller. The next call finds those that ended after it.
                guard process > 0, !awaited.contains(process) else { return }
                waitpid(process, nil, WNOHANG)
            }
        }
    }
}
