import JSON
import Platform

/// This program as a server in a process of its own, connected through pipes as a host connects it.
final class ServerProcess {
    private let process: Int32
    private let input: FileDescriptor
    private let output: FileDescriptor
    /// What it has written. The lines before `taken` were taken; removing each at once would move all later bytes.
    private var pending: [UInt8] = []
    private var taken = 0
    private var piece = [UInt8](repeating: 0, count: pieceBytes)
    private var isAtEnd = false
    private var isInputOpen = true

    private static let pieceBytes = 64 << 10

    /// The running program, also if its file has been replaced since.
    private static let program: SystemString = "/proc/self/exe"

    /// What comes next from the process.
    enum Output {
        case line([UInt8])
        /// It has closed its output.
        case end
        /// Nothing within the time.
        case nothing
    }

    /// Starts a server. It gets no variable of the environment that sets a flag: what a transcript gets must not depend
    /// on the machine. Its log goes to the stderr of this process.
    ///
    /// - Parameter flags: its flags.
    init(_ flags: [SystemString]) throws(CommandError) {
        let program = Program(
            path: Self.program,
            arguments: [SystemString(Command.serve.rawValue)] + flags,
            removing: EnvironmentNames.given
        )
        do throws(SystemError) {
            let (requests, replies) = (try Pipe(), try Pipe())
            let errors = try FileDescriptor.standardError.duplicate()
            defer { for end in [requests.reader, replies.writer, errors] { end.close() } }
            // A server that waits for its replies to be read takes no more requests.
            try requests.writer.setBlocking(false)
            process = try ChildProcesses.start { () throws(SystemError) in
                try program.start(input: requests.reader, output: replies.writer, errors: errors)
            }
            (input, output) = (requests.writer, replies.reader)
        } catch {
            throw .failed("the server cannot be started: \(error)")
        }
    }

    /// Sends a message as a line. Meanwhile, what the server writes is read.
    ///
    /// - Returns: false if the server took nothing for so long, or has closed its input.
    func send(_ message: JSONValue, milliseconds: Int) -> Bool {
        let line = Array(message.text.utf8) + [UInt8(ascii: "\n")]
        let error = line.withUnsafeBytes { bytes in
            WholeWrite.run(bytes, to: input) { [self] in
                guard Readiness.waitForRoom(input, orInput: isAtEnd ? nil : output, milliseconds: milliseconds) else {
                    return false
                }
                if !isAtEnd, Readiness.wait(output, nil, milliseconds: 0).first { read() }
                return true
            }
        }
        return error == nil
    }

    /// The next line that the server writes.
    func next(milliseconds: Int) -> Output {
        let deadline = MonotonicClock.milliseconds + milliseconds
        var searched = taken
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { taken = end + 1 }
                return .line(Array(pending[taken..<end]))
            }
            // What is left is less than a line.
            pending.removeSubrange(..<taken)
            (taken, searched) = (0, pending.count)
            if isAtEnd {
                defer { pending = [] }
                return pending.isEmpty ? .end : .line(pending)
            }
            let left = deadline - MonotonicClock.milliseconds
            guard left > 0 else { return .nothing }
            if Readiness.wait(output, nil, milliseconds: left).first { read() }
        }
    }

    private func read() {
        do throws(SystemError) {
            let count = try output.read(into: &piece)
            isAtEnd = count == 0
            pending += piece[..<count]
        } catch {
            isAtEnd = true
        }
    }

    /// Ends its input. It then answers what it has read, and ends.
    func closeInput() {
        if isInputOpen { input.close() }
        isInputOpen = false
    }

    /// Waits for its end.
    ///
    /// - Parameter isKilled: whether it is ended at once.
    func finish(killing isKilled: Bool) -> ProcessEnd {
        closeInput()
        if isKilled { ChildProcesses.send(.kill, to: process) }
        let end = ChildProcesses.waitForEnd(of: process)
        output.close()
        return end
    }
}
