internal import Glibc
internal import Store
internal import Synchronization
internal import Platform

/// Delivers each mail by running a command that reads it on standard input, such as `sendmail -t -i`. Exit code 0 means
/// that the command accepted the mail.
///
/// This process must ignore SIGPIPE, because a command may exit before it has read the whole mail. The command's stdout
/// is discarded, so that it does not mix with replies. The last part of its stderr is added to the failure.
final class CommandDriver: MailDriver {
    private let command: SystemString
    private let seconds: Int
    /// The process groups of the running commands.
    private let running = Mutex(Set<pid_t>())

    /// - Parameter seconds: how long the command may take for one mail.
    init(command: SystemString, seconds: Int = Limits.commandSeconds) {
        self.command = command
        self.seconds = seconds
    }

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        guard let pipe = Pipe() else { throw Self.failure("pipe", errno) }
        guard let errorPipe = Pipe() else {
            let reason = errno
            close(pipe.reader)
            close(pipe.writer)
            throw Self.failure("pipe", reason)
        }
        var errors = CommandErrors(reading: errorPipe.reader)
        let process: pid_t
        do throws(DeliveryFailure) {
            process = try ChildProcesses.start { () throws(DeliveryFailure) in
                try start(reading: pipe.reader, writingErrors: errorPipe.writer)
            }
        } catch {
            close(pipe.reader)
            close(pipe.writer)
            close(errorPipe.writer)
            throw error
        }
        running.withLock { _ = $0.insert(process) }
        defer { running.withLock { _ = $0.remove(process) } }
        close(pipe.reader)
        close(errorPipe.writer)
        let deadline = MonotonicClock.milliseconds + seconds * 1_000
        write(message.bytes, to: pipe.writer, until: deadline, draining: &errors)
        close(pipe.writer)
        do throws(DeliveryFailure) {
            try wait(for: process, until: deadline, draining: &errors)
        } catch {
            let mail = message.bytes + Array(message.text.utf8)
            throw DeliveryFailure(error.reason, detail: errors.text(without: mail))
        }
    }

    /// Sends SIGTERM to the running commands, and SIGKILL to all of them if one still runs five seconds later.
    func cancel() {
        let groups = running.withLock { Array($0) }
        for group in groups { kill(-group, SIGTERM) }
        let deadline = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
        // A process group exists until the last of its processes is reaped. The delivering thread reaps the command.
        while groups.contains(where: { kill(-$0, 0) == 0 }) {
            guard MonotonicClock.milliseconds < deadline else {
                for group in groups { kill(-group, SIGKILL) }
                return
            }
            usleep(5_000)
            ChildProcesses.reapOrphans()
        }
    }

    /// Starts the command in its own process group, so that all processes it starts can be ended with it.
    private func start(reading input: Int32, writingErrors errors: Int32) throws(DeliveryFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child would inherit the ignored and blocked signals of this process.
        var (defaults, none) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        sigemptyset(&defaults)
        for signal in [SIGPIPE, SIGXFSZ] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )

        let words: [SystemString] = ["/bin/sh", "-c", command]
        var arguments = words.map { strdup($0.cString) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, environ)
        guard status == 0 else { throw Self.failure("posix_spawn", status) }
        return process
    }

    /// Writes as much as the command reads. Write errors are ignored, because the exit code decides.
    private func write(
        _ bytes: [UInt8],
        to pipe: Int32,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) {
        _ = fcntl(pipe, F_SETFL, O_NONBLOCK)
        bytes.withUnsafeBytes { bytes in
            _ = WholeWrite.run(
                bytes,
                to: pipe,
                whenBlocked: {
                    // Drain stderr, so that a command that writes errors before it reads is not blocked. A closed
                    // stderr is always ready, so it is polled only while more may come.
                    let hasMore = errors.drain()
                    var states = [pollfd(fd: pipe, events: Int16(POLLOUT), revents: 0), errors.pollState]
                    let milliseconds = deadline - MonotonicClock.milliseconds
                    return milliseconds > 0 && poll(&states, hasMore ? 2 : 1, Int32(milliseconds)) > 0
                }
            )
        }
    }

    private func wait(
        for process: pid_t,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) throws(DeliveryFailure) {
        guard let status = self.status(of: process, until: deadline, draining: &errors) else {
            kill(-process, SIGTERM)
            let end = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
            let hasEnded = self.status(of: process, until: end, draining: &errors) != nil
            // Processes that the command started may still run.
            kill(-process, SIGKILL)
            if !hasEnded { _ = self.status(of: process, until: .max, draining: &errors) }
            throw DeliveryFailure("the command took longer than \(seconds) seconds")
        }
        guard status >= 0 else { throw DeliveryFailure("how the command ended cannot be told") }
        guard status != 0 else { return }
        // wait(2): the low seven bits are the signal that ended the process; bits 8 to 15 are the exit code.
        let signal = status & 0x7F
        throw DeliveryFailure(
            signal == 0
                ? "the command ended with exit code \(status >> 8 & 0xFF)" : "signal \(signal) ended the command"
        )
    }

    /// Waits for a command to end and returns its status; nil if it has not ended at the deadline.
    private func status(
        of process: pid_t,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) -> Int32? {
        var pause: UInt32 = 1_000
        while true {
            if let status = ChildProcesses.reap(process) { return status }
            _ = errors.drain()
            guard MonotonicClock.milliseconds < deadline else { return nil }
            usleep(pause)
            pause = min(pause * 2, 50_000)
        }
    }

    private static func failure(_ call: String, _ errno: Int32) -> DeliveryFailure {
        DeliveryFailure("\(call): \(String(cString: strerror(errno)))")
    }
}
