import Platform

/// A file that is read once from start to end, or stdin.
final class InputFile {
    /// The name for messages: the path, or `stdin`.
    let name: String
    private let descriptor: FileDescriptor
    private let isOwned: Bool
    /// Whether it is a regular file, which can be opened and read again.
    let isRegular: Bool
    private var piece = [UInt8](repeating: 0, count: pieceBytes)
    /// The bytes that were read when the file was opened.
    private var first: ArraySlice<UInt8> = []

    /// The number of bytes that one read asks for.
    private static let pieceBytes = 256 << 10

    static var standardInput: InputFile { InputFile(descriptor: .standardInput) }

    /// Opens a file. A pipe is accepted if a process has it open for writing, as with `<(command)`. A pipe without a
    /// writer is refused, because no data may ever come.
    init(_ path: SystemString) throws(CommandError) {
        name = "\(path)"
        isOwned = true
        do throws(SystemError) {
            descriptor = try .open(path, .reading | .notWaiting | .notControlling)
        } catch {
            throw Self.failure(name, error)
        }
        var fault: String?
        do throws(SystemError) {
            let kind = try FileStatus(of: descriptor).kind
            isRegular = kind == .regular
            switch kind {
            case .regular, .characterDevice: break
            case .pipe: if try !hasWriter() { fault = "a FIFO that no process writes to" }
            case .directory, .other: fault = "not a file"
            }
            // Opening must not block, but reading may.
            try descriptor.setBlocking(true)
        } catch {
            throw Self.failure(name, error)
        }
        if let fault { throw .failed("\(name): \(fault)") }
    }

    /// Whether a process has the pipe open for writing. Bytes that it has written already are kept in `first`.
    private func hasWriter() throws(SystemError) -> Bool {
        do throws(SystemError) {
            // A pipe without a writer gives end of file; an empty pipe with a writer gives EAGAIN.
            first = piece[..<(try descriptor.read(into: &piece))]
            return !first.isEmpty
        } catch .wouldBlock {
            return true
        }
    }

    convenience init(_ path: String) throws(CommandError) {
        try self.init(SystemString(path))
    }

    private init(descriptor: FileDescriptor) {
        (name, self.descriptor, isOwned, isRegular) = ("stdin", descriptor, false, false)
    }

    deinit {
        if isOwned { descriptor.close() }
    }

    /// All bytes, but at most `bytesMax + 1`. A result longer than `bytesMax` means that the file is longer.
    func contents(bytesMax: Int) throws(CommandError) -> [UInt8] {
        do throws(SystemError) {
            return first + (try descriptor.contents(bytesMax: max(0, bytesMax - first.count)))
        } catch {
            throw Self.failure(name, error)
        }
    }

    /// The next bytes; an empty slice at the end of the file.
    func read() throws(CommandError) -> ArraySlice<UInt8> {
        if !first.isEmpty {
            defer { first = [] }
            return first
        }
        do throws(SystemError) {
            return piece[..<(try descriptor.read(into: &piece))]
        } catch {
            throw Self.failure(name, error)
        }
    }

    private static func failure(_ name: String, _ error: SystemError) -> CommandError { .failed("\(name): \(error)") }
}
