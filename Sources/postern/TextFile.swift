import JSONRPC
import Platform

/// Reads the text that a word of the command line names.
enum TextFile {
    /// All of a file.
    static func contents(of path: String) throws(CommandError) -> String {
        try text(of: InputFile(path))
    }

    /// All of stdin; on a terminal one line, which is not shown.
    ///
    /// - Parameter prompt: what is asked for; nil if all of the input is wanted on a terminal too.
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
