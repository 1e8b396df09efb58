internal import Platform
internal import Synchronization

/// The running programs that send mails: each reads one mail on its stdin.
///
/// This process must ignore SIGPIPE, because a program may exit before it has read the whole mail.
final class MailPrograms: Sendable {
    /// How a program ended.
    struct Outcome: ~Copyable {
        /// Why it failed; nil if it has sent the mail.
        let failure: String?
        let errors: ErrorOutput
    }

    private let seconds: Int
    /// The process groups of the running programs.
    private let running = Mutex(Set<ProcessGroup>())

    /// - Parameter seconds: how long a program may take for one mail.
    init(seconds: Int) {
        self.seconds = seconds
    }

    /// Runs a program to its end. Processes that it started may still run then, unless it took too long.
    ///
    /// - Parameters:
    ///   - name: what a failure calls the program.
    ///   - mail: the mail, which the program need not read to its end.
    ///   - observe: takes all bytes that the program writes to stderr, as they come.
    ///   - start: starts the program with a stdin and a stderr, and returns its process id.
    func run(
        _ name: String,
        feeding mail: [UInt8],
        observe: @escaping (ArraySlice<UInt8>) -> Void = { _ in },
        start: (_ input: FileDescriptor, _ errors: FileDescriptor) throws(SystemError) -> Int32
    ) throws(DeliveryFailure) -> Outcome {
        let pipe = try Self.newPipe()
        let errorPipe: Pipe
        do throws(DeliveryFailure) {
            errorPipe = try Self.newPipe()
        } catch {
            pipe.reader.close()
            pipe.writer.close()
            throw error
        }
        var errors = ErrorOutput(reading: errorPipe.reader, observe: observe)
        let process: Int32
        do throws(SystemError) {
            process = try ChildProcesses.start { () throws(SystemError) in try start(pipe.reader, errorPipe.writer) }
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
        let isWritten = write(mail, to: pipe.writer, until: deadline, draining: &errors)
        // The end of the input would make a part of a mail look whole to a program that is too slow.
        if isWritten { pipe.writer.close() }
        let end = wait(for: process, until: deadline, draining: &errors)
        if !isWritten { pipe.writer.close() }
        _ = errors.drain()
        return Outcome(failure: failure(of: name, end), errors: errors)
    }

    /// - Parameter end: how the program ended; nil if it was ended because it took too long.
    private func failure(of name: String, _ end: ProcessEnd?) -> String? {
        switch end {
        case .exit(code: 0)?: nil
        case .exit(let code)?: "\(name) ended with exit code \(code)"
        case .signal(let signal)?: "signal \(signal.number) ended \(name)"
        case .unknown?: "the exit status of \(name) is unknown"
        case nil: "\(name) took longer than \(seconds) seconds"
        }
    }

    /// Sends SIGTERM to the running programs, and SIGKILL to all of them if one still runs five seconds later.
    func cancel() {
        let groups = running.withLock { Array($0) }
        for group in groups { group.send(.terminate) }
        let deadline = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
        // A process group exists until the last of its processes is reaped. The delivering thread reaps the program.
        while groups.contains(where: \.exists) {
            guard MonotonicClock.milliseconds < deadline else {
                for group in groups { group.send(.kill) }
                return
            }
            Thread.sleep(microseconds: 5_000)
            ChildProcesses.reapOrphans()
        }
    }

    /// Writes as much as the program reads. Write errors are ignored, because the exit code decides.
    ///
    /// - Returns: whether all was written.
    private func write(
        _ bytes: [UInt8],
        to pipe: FileDescriptor,
        until deadline: Int,
        draining errors: inout ErrorOutput
    ) -> Bool {
        pipe.stopBlocking()
        return bytes.withUnsafeBytes { bytes in
            WholeWrite.run(
                bytes,
                to: pipe,
                whenBlocked: {
                    // Drain stderr, so that a program that writes errors before it reads is not blocked. A closed
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
            ) == nil
        }
    }

    /// Waits until a program has ended. At the deadline it is ended with its group, and the result is nil.
    private func wait(for process: Int32, until deadline: Int, draining errors: inout ErrorOutput) -> ProcessEnd? {
        if let end = end(of: process, until: deadline, draining: &errors) { return end }
        let group = ProcessGroup(number: process)
        group.send(.terminate)
        let killTime = MonotonicClock.milliseconds + Limits.killSeconds * 1_000
        let hasEnded = end(of: process, until: killTime, draining: &errors) != nil
        // Processes that the program started may still run.
        group.send(.kill)
        if !hasEnded { _ = end(of: process, until: .max, draining: &errors) }
        return nil
    }

    /// Waits until a program has ended and returns how it ended; nil if it runs at the deadline.
    private func end(of process: Int32, until deadline: Int, draining errors: inout ErrorOutput) -> ProcessEnd? {
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
