import JSONRPC
import Platform

/// Reads the text of a file or of stdin for an argument of the command line.
enum TextFile {
    /// The whole text of a file.
    static func contents(of path: String) throws(CommandError) -> String {
        try text(of: InputFile(path))
    }

    /// The whole text of a file whose path need not be UTF-8.
    static func contents(of path: SystemString) throws(CommandError) -> String {
        try text(of: InputFile(path))
    }

    /// The whole text of stdin, or one line without echo if there is a prompt and stdin is a terminal.
    ///
    /// - Parameter prompt: the prompt on a terminal; nil reads the whole input on a terminal too.
    static func standardInput(prompt: String?) throws(CommandError) -> String {
        guard let prompt, FileDescriptor.standardInput.isTerminal else { return try text(of: InputFile.standardInput) }
        StandardError.write("\(prompt): ")
        let line = Terminal.readHiddenLine()
        StandardError.write("\n")
        guard let line else { throw .failed("\(prompt): no input") }
        return line
    }

    private static func text(of file: InputFile) throws(CommandError) -> String {
        let bytes = try file.contents(bytesMax: Limits.lineBytesMax)
        guard bytes.count <= Limits.lineBytesMax else {
            throw .failed("\(file.name): longer than \(Limits.lineBytesMax) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .failed("\(file.name): not UTF-8") }
        return text
    }
}
