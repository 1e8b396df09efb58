#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif
internal import Synchronization

/// The processes that this one has started, and those that it inherits as the first of a PID namespace.
package enum ChildProcesses {
    /// The processes that somebody here waits for. One is started and put in, or reaped and taken out, under the lock, so
    /// that what is in here is never another process of the same number.
    private static let awaited = Mutex(Set<pid_t>())

    /// Starts a process that is waited for by `reap`.
    ///
    /// - Parameter start: starts it and gives its number, or throws.
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

    /// Takes the status of a process that was started here, if it has ended; nil while it runs. The status is as wait(2) has
    /// it, and negative where it cannot be had.
    package static func reap(_ process: Int32) -> Int32? {
        awaited.withLock { awaited in
            var status: Int32 = 0
            let ended = waitpid(process, &status, WNOHANG)
            if ended == 0 || ended == -1 && errno == EINTR { return nil }
            awaited.remove(process)
            return ended == -1 ? -1 : status
        }
    }

    /// Takes the status of every ended child that nobody here waits for: what a mail command left behind is handed to the
    /// first process of a PID namespace, and stays a zombie until that one takes its status.
    package static func reapOrphans() {
        awaited.withLock { awaited in
            while true {
                var information = siginfo_t()
                guard waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                #if canImport(Glibc)
                    let process = information._sifields._sigchld.si_pid
                #elseif canImport(Musl)
                    // Untested.
                    let process = information.__si_fields.__si_common.__first.__piduid.si_pid
                #elseif canImport(Darwin)
                    // Untested.
                    let process = information.si_pid
                #endif
                // The one that is awaited is reaped soon, and the next call finds what ended behind it.
                guard process > 0, !awaited.contains(process) else { return }
                waitpid(process, nil, WNOHANG)
            }
        }
    }
}
