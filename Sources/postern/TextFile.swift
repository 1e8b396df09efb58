import Glibc
import JSONRPC

/// Reads the text of a file or of stdin for an argument of the command line.
enum TextFile {
    /// The whole text of a file.
    static func contents(of path: String) throws(CommandError) -> String {
        try text(of: InputFile(path))
    }

    /// The whole text of stdin, or one line without echo if there is a prompt and stdin is a terminal.
    ///
    /// - Parameter prompt: the prompt on a terminal; nil reads the whole input on a terminal too.
    static func standardInput(prompt: String?) throws(CommandError) -> String {
        guard let prompt, isatty(0) == 1 else { return try text(of: InputFile.standardInput) }
        StandardError.write("\(prompt): ")
        var terminal = termios()
        tcgetattr(0, &terminal)
        var silent = terminal
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSAFLUSH, &silent)
        defer {
            tcsetattr(0, TCSAFLUSH, &terminal)
            StandardError.write("\n")
        }
        guard let line = readLine() else { throw .failed("\(prompt): no input") }
        return line
    }

    private static func text(of file: InputFile) throws(CommandError) -> String {
        var bytes: [UInt8] = []
        while case let piece = try file.read(), !piece.isEmpty {
            bytes += piece
            guard bytes.count <= Limits.lineBytesMax else {
                throw .failed("\(file.name): longer than \(Limits.lineBytesMax) bytes")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .failed("\(file.name): not UTF-8") }
        return text
    }
}
