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
    private let running = Mutex(Set<ProcessGroup>())

    /// - Parameter seconds: how long the command may take for one mail.
    init(command: SystemString, seconds: Int = Limits.commandSeconds) {
        self.command = command
        self.seconds = seconds
    }

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let pipe = try Self.newPipe()
        let errorPipe: Pipe
        do throws(DeliveryFailure) {
            errorPipe = try Self.newPipe()
        } catch {
            pipe.reader.close()
            pipe.writer.close()
            throw error
        }
        var errors = CommandErrors(reading: errorPipe.reader)
        let process: Int32
        do throws(SystemError) {
            process = try ChildProcesses.start { () throws(SystemError) in
                try ShellCommand(command).start(reading: pipe.reader, writingErrors: errorPipe.writer)
            }
        } catch {
            pipe.reader.close()
            pipe.writer.close()
            errorPipe.writer.close()
            throw DeliveryFailure("posix_spawn: \(error)")
        }
        let group = ProcessGroup(number: process)
        running.withLock { _ = $0.insert(group) }
        defer { running.withLock { _ = $0.remove(group) } }
        pipe.reader.close()
        errorPipe.writer.close()
        let deadline = MonotonicClock.milliseconds + seconds * 1_000
        write(message.bytes, to: pipe.writer, until: deadline, draining: &errors)
        pipe.writer.close()
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
        for group in groups { group.send(.terminate) }
        let deadline = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
        // A process group exists until the last of its processes is reaped. The delivering thread reaps the command.
        while groups.contains(where: \.exists) {
            guard MonotonicClock.milliseconds < deadline else {
                for group in groups { group.send(.kill) }
                return
            }
            Thread.sleep(microseconds: 5_000)
            ChildProcesses.reapOrphans()
        }
    }

    /// Writes as much as the command reads. Write errors are ignored, because the exit code decides.
    private func write(
        _ bytes: [UInt8],
        to pipe: FileDescriptor,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) {
        pipe.stopBlocking()
        bytes.withUnsafeBytes { bytes in
            _ = WholeWrite.run(
                bytes,
                to: pipe,
                whenBlocked: {
                    // Drain stderr, so that a command that writes errors before it reads is not blocked. A closed
                    // stderr is always ready, so it is polled only while more may come.
                    let hasMore = errors.drain()
                    let milliseconds = deadline - MonotonicClock.milliseconds
                    return milliseconds > 0
                        && Readiness.waitForRoom(
                            pipe,
                            orInput: hasMore ? errors.descriptor : nil,
                            milliseconds: milliseconds
                        )
                }
            )
        }
    }

    private func wait(
        for process: Int32,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) throws(DeliveryFailure) {
        guard let processEnd = end(of: process, until: deadline, draining: &errors) else {
            let group = ProcessGroup(number: process)
            group.send(.terminate)
            let killTime = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
            let hasEnded = end(of: process, until: killTime, draining: &errors) != nil
            // Processes that the command started may still run.
            group.send(.kill)
            if !hasEnded { _ = end(of: process, until: .max, draining: &errors) }
            throw DeliveryFailure("the command took longer than \(seconds) seconds")
        }
        switch processEnd {
        case .exit(code: 0): return
        case .exit(let code): throw DeliveryFailure("the command ended with exit code \(code)")
        case .signal(let signal): throw DeliveryFailure("signal \(signal.number) ended the command")
        case .unknown: throw DeliveryFailure("the exit status of the command is unknown")
        }
    }

    /// Waits until a command has ended and returns how it ended; nil if it runs at the deadline.
    private func end(
        of process: Int32,
        until deadline: Int,
        draining errors: inout CommandErrors
    ) -> ProcessEnd? {
        var pause = 1_000
        while true {
            if let end = ChildProcesses.reap(process) { return end }
            _ = errors.drain()
            guard MonotonicClock.milliseconds < deadline else { return nil }
            Thread.sleep(microseconds: pause)
            pause = min(pause * 2, 50_000)
        }
    }

    private static func newPipe() throws(DeliveryFailure) -> Pipe {
        do throws(SystemError) {
            return try Pipe()
        } catch {
            throw DeliveryFailure("pipe: \(error)")
        }
    }
}

extension FileDescriptor {
    /// Makes reading and writing non-blocking. This cannot fail for an end of a pipe.
    func stopBlocking() {
        do throws(SystemError) {
            try setBlocking(false)
        } catch {
            assertionFailure("\(error)")
        }
    }
}
