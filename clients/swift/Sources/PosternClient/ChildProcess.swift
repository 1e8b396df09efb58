import Glibc
import Synchronization
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
final class ChildProcess: Sendable {
    let identifier: Int32
    /// The write end of its stdin.
    let input: Int32
    /// The read end of its stdout.
    let output: Int32
    /// The read end of its stderr.
    let log: Int32
    /// Whether it is reaped. After that, the system may give its process id to another process.
    private let isReaped = Mutex(false)

    init(_ command: Command) throws(PosternError) {
        let pipes = try Self.pipes()
        (input, output, log) = (pipes[0].writer.rawValue, pipes[1].reader.rawValue, pipes[2].reader.rawValue)
        let theirs = [pipes[0].reader.rawValue, pipes[1].writer.rawValue, pipes[2].writer.rawValue]
        defer { for descriptor in theirs { Glibc.close(descriptor) } }
        do throws(PosternError) {
            identifier = try Self.spawn(command, descriptors: theirs)
        } catch {
            for descriptor in [input, output, log] { Glibc.close(descriptor) }
            throw error
        }
    }

    /// Sends a signal; does nothing if the process is reaped.
    func send(signal: Int32) {
        isReaped.withLock { isReaped in
            if !isReaped { kill(identifier, signal) }
        }
    }

    /// Waits until it has ended.
    func wait() -> ProcessEnded.Cause {
        var information = siginfo_t()
        // WNOWAIT keeps the zombie until the lock is held, so that `send` cannot signal another process with its id.
        while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        return isReaped.withLock { isReaped in
            var status: Int32 = 0
            defer { isReaped = true }
            guard !isReaped, waitpid(identifier, &status, WNOHANG) == identifier else { return .unknown }
            // wait(2): the low seven bits are the signal that ended it, the next eight the exit code.
            let signal = status & 0x7F
            return signal == 0 ? .exit(code: status >> 8 & 0xFF) : .signal(signal)
        }
    }

    /// Three pipes without the descriptors 0, 1 and 2, which the host may have closed: `spawn` duplicates to those.
    private static func pipes() throws(PosternError) -> [Pipe] {
        var pipes: [Pipe] = []
        var low: [Pipe] = []
        defer { for pipe in low { close(pipe) } }
        while pipes.count < 3 {
            let pipe: Pipe
            do throws(Platform.SystemError) {
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

    /// - Parameter descriptors: the process's stdin, stdout and stderr.
    private static func spawn(_ command: Command, descriptors: [Int32]) throws(PosternError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Otherwise the child inherits the ignored and blocked signals of this process.
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )

        let words = [command.path] + command.arguments
        let added = command.environment.map { "\($0.key)=\($0.value)" }
        guard !(words + added).contains(where: { $0.utf8.contains(0) }) else {
            throw .notStarted("a path, an argument or a variable contains a zero byte")
        }
        var arguments = words.map { (word: String) in strdup(word) } + [nil]
        var variables = inheritedVariables(except: command.environment.keys) + added.map { strdup($0) } + [nil]
        defer { for word in arguments + variables { free(word) } }
        var identifier = pid_t()
        let status = posix_spawn(&identifier, command.path, &actions, &attributes, &arguments, &variables)
        guard status == 0 else { throw .notStarted("\(command.path): \(String(cString: strerror(status)))") }
        return identifier
    }

    /// Copies of this process's variables, `NAME=value`, byte by byte because they may not be UTF-8.
    private static func inheritedVariables(except names: some Collection<String>) -> [UnsafeMutablePointer<CChar>?] {
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let variable = next.pointee {
            let isReplaced = names.contains { strncmp(variable, "\($0)=", $0.utf8.count + 1) == 0 }
            if !isReplaced { variables.append(strdup(variable)) }
            next = next.successor()
        }
        return variables
    }
}
