import Glibc

/// The command line: which command, with what, and the exit code.
@main
struct Postern {
    /// The program's version.
    static let version = "0.1.0"

    static func main() {
        // A reader that is gone, or a file-size limit, is an error of the write; it must not end the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do throws(CommandError) {
            let options = try Options(arguments: Array(CommandLine.arguments.dropFirst()))
            try options.command.run(options)
        } catch {
            StandardError.write(line: "postern: \(error.message)")
            exit(error.status)
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
