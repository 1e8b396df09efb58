// `stdout` is a C variable that the compiler does not know to be safe. The program never assigns it.
@preconcurrency import Glibc

/// The entry point: reads the command line, runs the command and sets the exit code.
@main
struct Postern {
    /// The program's version.
    static let version = "0.1.0"

    static func main() {
        occupyStandardDescriptors()
        // A closed reader and a file-size limit then fail the write with an error instead of ending the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // A host that ignores SIGCHLD passes that on to its children. waitpid would then give no exit status of a mail
        // command.
        signal(SIGCHLD, SIG_DFL)
        endOnUnreadablePage()
        do throws(CommandError) {
            let options = try Options(arguments: Arguments.all)
            try options.command.run(options)
            try flushOutput()
        } catch {
            StandardError.write(line: "postern: \(error.message)")
            exit(error.status)
        }
    }

    /// Ends the process with a message on SIGBUS: a page of a mapped file cannot be read, because the file was
    /// truncated or the disk failed. No reply that depends on that page has been sent.
    private static func endOnUnreadablePage() {
        signal(SIGBUS) { _ in
            let text: StaticString =
                "postern: a file of the store was truncated or cannot be read; run postern check\n"
            _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
            _exit(1)
        }
    }

    /// Opens those of the descriptors 0, 1 and 2 that the host has closed. Otherwise a file of the store would get the
    /// number, and would be read as requests or written to as a log. A replaced stdin is empty, and writing to a
    /// replaced stdout fails.
    private static func occupyStandardDescriptors() {
        for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // open(2) returns the lowest free number, which is `descriptor`.
            _ = open("/dev/null", mode)
        }
    }

    /// Flushes stdout.
    ///
    /// - Throws: `CommandError` if printed output could not be written.
    private static func flushOutput() throws(CommandError) {
        let isFlushed = fflush(stdout) == 0
        // A reader that closes the pipe early, such as `head`, is no error.
        guard isFlushed && ferror(stdout) == 0 || errno == EPIPE else {
            throw .failed("write: \(String(cString: strerror(errno)))")
        }
    }
}

/// Why a command failed.
struct CommandError: Error {
    let message: String
    /// The exit code: 64 for a wrong command line (sysexits.h, EX_USAGE), 1 for any other error.
    let status: Int32

    static func usage(_ message: String) -> CommandError {
        CommandError(message: "\(message); see postern --help", status: 64)
    }

    static func failed(_ message: String) -> CommandError {
        CommandError(message: message, status: 1)
    }
}
