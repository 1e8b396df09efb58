import JSON
import Platform

/// The entry point: reads the command line, runs the command and sets the exit code. `Command.serve` describes the way
/// of one request through the code.
@main
struct Postern {
    static func main() {
        StandardDescriptors.occupy()
        // A closed reader and a file-size limit then fail the write with an error instead of ending the process.
        Signal.brokenPipe.ignore()
        Signal.fileTooLarge.ignore()
        // A host that ignores SIGCHLD passes that on to its children. waitpid would then give no exit status of a mail
        // command.
        Signal.childEnded.restoreDefault()
        endOnUnreadablePage()
        do throws(CommandError) {
            let options = try Options(arguments: Arguments.all)
            try options.command.run(options)
            try flushOutput()
        } catch {
            StandardError.write(line: error.isJSON ? error.message : "postern: \(error.message)")
            CurrentProcess.end(status: error.exit.rawValue)
        }
    }

    /// Ends the process with a message on SIGBUS: a page of a mapped file cannot be read, because the file was
    /// truncated or the disk failed. No reply that depends on that page has been sent.
    private static func endOnUnreadablePage() {
        Signal.busError.handle { _ in
            CurrentProcess.endAtOnce(
                status: 1,
                saying: "postern: a file of the store was truncated or cannot be read; run postern check\n"
            )
        }
    }

    /// Flushes stdout.
    ///
    /// - Throws: `CommandError` if printed output could not be written.
    private static func flushOutput() throws(CommandError) {
        do throws(SystemError) {
            try StandardDescriptors.flushOutput()
        } catch {
            // A reader that closes the pipe early, such as `head`, is no error.
            guard error == .brokenPipe else { throw .failed("write: \(error)") }
        }
    }
}

/// Why a command failed.
struct CommandError: Error {
    let message: String
    let exit: ExitStatus
    /// Whether the message is JSON, which is printed without the program's name, so that programs can read it.
    private(set) var isJSON = false

    static func usage(_ message: String) -> CommandError {
        CommandError(message: "\(message); see postern --help", exit: .usage)
    }

    static func failed(_ message: String) -> CommandError {
        CommandError(message: message, exit: .failure)
    }

    /// An error that a method returned, as the JSON object of the reply.
    static func refused(_ error: JSONValue) -> CommandError {
        var refusal = CommandError.failed(error.prettyText)
        refusal.isJSON = true
        return refusal
    }

    /// A question of another program that cannot be answered now, or not with this configuration.
    static func unanswered(_ message: String) -> CommandError {
        CommandError(message: message, exit: .unanswered)
    }
}
