// `stdout` is a variable, which nobody sets.
@preconcurrency import Glibc

/// The command line: which command, with what, and the exit code.
@main
struct Postern {
    /// The program's version.
    static let version = "0.1.0"

    static func main() {
        occupyStandardDescriptors()
        // A reader that is gone, or a file-size limit, is an error of the write; it must not end the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // A host that ignores the end of its children hands that down, and then nobody learns how a mail command ended.
        signal(SIGCHLD, SIG_DFL)
        endWhereAFileIsGone()
        do throws(CommandError) {
            let options = try Options(arguments: Arguments.all)
            try options.command.run(options)
            try flushOutput()
        } catch {
            StandardError.write(line: "postern: \(error.message)")
            exit(error.status)
        }
    }

    /// Says why it ends where the system cannot give it a page of a mapped file: the file was cut short, or the disk cannot
    /// be read. Nothing that rests on it has been answered.
    private static func endWhereAFileIsGone() {
        signal(SIGBUS) { _ in
            let text: StaticString =
                "postern: a file of the store was cut short, or cannot be read; see postern check\n"
            _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
            _exit(1)
        }
    }

    /// Makes sure that 0, 1 and 2 are taken: where a host has closed one, a file of the store would get its number, and
    /// be read as requests or written to as a log. What was closed has no input, and cannot take output.
    private static func occupyStandardDescriptors() {
        for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest number that is free is the one that was found closed.
            _ = open("/dev/null", mode)
        }
    }

    /// Sees to it that what was printed has arrived, or that the exit code tells that it has not.
    private static func flushOutput() throws(CommandError) {
        let isFlushed = fflush(stdout) == 0
        // Whoever stops reading has what they want.
        guard isFlushed && ferror(stdout) == 0 || errno == EPIPE else {
            throw .failed("write: \(String(cString: strerror(errno)))")
        }
    }
}

/// Why a command ends without having done its work.
struct CommandError: Error {
    let message: String
    /// The exit code: 64 for a wrong command line (sysexits.h, EX_USAGE), 1 for what else went wrong.
    let status: Int32

    static func usage(_ message: String) -> CommandError {
        CommandError(message: "\(message); see postern --help", status: 64)
    }

    static func failed(_ message: String) -> CommandError {
        CommandError(message: message, status: 1)
    }
}
