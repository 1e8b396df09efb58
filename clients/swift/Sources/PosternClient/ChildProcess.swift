import Platform

/// The command that starts the process.
struct Command {
    let path: String
    let arguments: [String]
    /// Variables that are added to this process's environment.
    let environment: [String: String]
}

/// A child process and the host's ends of its three pipes.
///
/// It has its own process group, so that Ctrl-C in a terminal reaches only the host. No other child inherits the pipes,
/// so that the input of the process ends when the host ends.
struct ChildProcess: Sendable {
    let identifier: Int32
    /// The write end of its stdin. Writing to it does not block.
    let input: FileDescriptor
    /// The read end of its stdout.
    let output: FileDescriptor
    /// The read end of its stderr.
    let log: FileDescriptor

    init(_ command: Command) throws(PosternError) {
        let program = try command.program
        let pipes = try Self.pipes()
        (input, output, log) = (pipes[0].writer, pipes[1].reader, pipes[2].reader)
        let theirs = [pipes[0].reader, pipes[1].writer, pipes[2].writer]
        defer { for descriptor in theirs { descriptor.close() } }
        do throws(SystemError) {
            try input.setBlocking(false)
            identifier = try ChildProcesses.start { () throws(SystemError) in
                try program.start(input: theirs[0], output: theirs[1], errors: theirs[2])
            }
        } catch {
            for descriptor in [input, output, log] { descriptor.close() }
            throw .notStarted("\(command.path): \(error)")
        }
    }

    /// Sends a signal; does nothing if the process is reaped.
    func send(_ signal: Signal) {
        ChildProcesses.send(signal, to: identifier)
    }

    /// Waits until it has ended.
    func wait() -> ProcessEnded.Cause {
        switch ChildProcesses.waitForEnd(of: identifier) {
        case .exit(let code): .exit(code: code)
        case .signal(let signal): .signal(signal.number)
        case .unknown: .unknown
        }
    }

    /// Three pipes without the descriptors 0, 1 and 2, which the host may have closed: the process gets its own pipes
    /// as those, and the host may write to its stdout.
    private static func pipes() throws(PosternError) -> [Pipe] {
        var pipes: [Pipe] = []
        var low: [Pipe] = []
        defer { for pipe in low { close(pipe) } }
        while pipes.count < 3 {
            let pipe: Pipe
            do throws(SystemError) {
                pipe = try Pipe()
            } catch {
                for pipe in pipes { close(pipe) }
                throw .notStarted("a pipe cannot be created: \(error)")
            }
            if min(pipe.reader.rawValue, pipe.writer.rawValue) > 2 { pipes.append(pipe) } else { low.append(pipe) }
        }
        return pipes
    }

    private static func close(_ pipe: Pipe) {
        pipe.reader.close()
        pipe.writer.close()
    }
}

extension Command {
    /// The program that the system starts.
    fileprivate var program: Program {
        get throws(PosternError) {
            let variables = environment.map { "\($0.key)=\($0.value)" }
            guard !([path] + arguments + variables).contains(where: { $0.utf8.contains(0) }) else {
                throw .notStarted("a path, an argument or a variable contains a zero byte")
            }
            return Program(
                path: SystemString(path),
                arguments: arguments.map { SystemString($0) },
                variables: environment.mapValues { SystemString($0) }
            )
        }
    }
}
