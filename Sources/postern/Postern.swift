import Platform

/// The entry point: reads the command line, runs the command and sets the exit code.
@main
struct Postern {
    /// The program's version.
    static let version = "0.1.0"

    static func main() {
        StandardDescriptors.occupy()
        // A reader that is gone, or a file-size limit, is an error of the write; it must not end the process.
        Signal.brokenPipe.ignore()
        Signal.fileTooLarge.ignore()
        // A host that ignores the end of its children hands that down, and then nobody learns how a mail command ended.
        Signal.childEnded.restoreDefault()
        endWhereAFileIsGone()
        do throws(CommandError) {
            let options = try Options(arguments: Arguments.all)
            try options.command.run(options)
            try flushOutput()
        } catch {
            StandardError.write(line: "postern: \(error.message)")
            CurrentProcess.end(status: error.status)
        }
    }

    /// Says why it ends where the system cannot give it a page of a mapped file: the file was cut short, or the disk cannot
    /// be read. Nothing that rests on it has been answered.
    private static func endWhereAFileIsGone() {
        Signal.busError.handle { _ in
            CurrentProcess.endAtOnce(
                status: 1,
                saying: "postern: a file of the store was cut short, or cannot be read; see postern check\n"
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
            // Whoever stops reading has what they want.
            guard error == .brokenPipe else { throw .failed("write: \(error)") }
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
