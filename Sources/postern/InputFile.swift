import Glibc
import Store

/// A file that is read once from start to end, or stdin.
final class InputFile {
    /// The name for messages: the path, or `stdin`.
    let name: String
    private let descriptor: Int32
    private let isOwned: Bool
    private var piece = [UInt8](repeating: 0, count: pieceBytes)
    /// The bytes that were read when the file was opened.
    private var first: ArraySlice<UInt8> = []

    /// The number of bytes that one read asks for.
    private static let pieceBytes = 256 << 10

    static var standardInput: InputFile { InputFile(descriptor: 0) }

    /// Opens a file. A pipe is accepted if a process has it open for writing, as with `<(command)`. A pipe without a
    /// writer is refused, because no data may ever come.
    init(_ path: SystemString) throws(CommandError) {
        name = "\(path)"
        isOwned = true
        descriptor = open(path.cString, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure }
        switch status.st_mode & S_IFMT {
        case S_IFREG, S_IFCHR: break
        case S_IFIFO:
            // A pipe without a writer gives end of file; an empty pipe with a writer gives EAGAIN.
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { throw .failed("\(name): a FIFO that no process writes to") }
            guard count > 0 || errno == EAGAIN else { throw failure }
            first = piece[..<max(0, count)]
        default: throw .failed("\(name): not a file")
        }
        // Opening must not block, but reading may.
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) == 0 else { throw failure }
    }

    convenience init(_ path: String) throws(CommandError) {
        try self.init(SystemString(path))
    }

    private init(descriptor: Int32) {
        (name, self.descriptor, isOwned) = ("stdin", descriptor, false)
    }

    deinit {
        if isOwned, descriptor >= 0 { close(descriptor) }
    }

    /// The next bytes; an empty slice at the end of the file.
    func read() throws(CommandError) -> ArraySlice<UInt8> {
        if !first.isEmpty {
            defer { first = [] }
            return first
        }
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure }
            return piece[..<count]
        }
    }

    /// The error of the last system call.
    private var failure: CommandError { .failed("\(name): \(String(cString: strerror(errno)))") }
}
