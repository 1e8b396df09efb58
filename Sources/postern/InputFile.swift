import Platform

/// A file that is read from its start to its end, or stdin.
final class InputFile {
    /// How messages name it.
    let name: String
    private let descriptor: FileDescriptor
    private let isOwned: Bool
    private var piece = [UInt8](repeating: 0, count: pieceBytes)
    /// Bytes that were read when it was opened.
    private var first: ArraySlice<UInt8> = []

    /// How much is read at once.
    private static let pieceBytes = 256 << 10

    static var standardInput: InputFile { InputFile(descriptor: .standardInput) }

    /// Opens a file. A pipe is read if a process has it open for writing, as with `<(command)`; one without a writer is
    /// refused, since nothing may ever come.
    init(_ path: SystemString) throws(CommandError) {
        name = "\(path)"
        isOwned = true
        do throws(SystemError) {
            descriptor = try .open(path, [.reading, .notWaiting, .notControlling])
        } catch {
            throw Self.failure(name, error)
        }
        var fault: String?
        do throws(SystemError) {
            switch try FileStatus(of: descriptor).kind {
            case .regular, .characterDevice: break
            case .pipe: if try !hasWriter() { fault = "a FIFO that no process writes to" }
            case .directory, .other: fault = "not a file"
            }
            // Opening must not wait; reading may.
            try descriptor.setBlocking(true)
        } catch {
            throw Self.failure(name, error)
        }
        if let fault { throw .failed("\(name): \(fault)") }
    }

    /// Whether a process has a pipe open for writing. What it has written is kept in `first`.
    private func hasWriter() throws(SystemError) -> Bool {
        do throws(SystemError) {
            // Without a writer a pipe is at its end; with one, there is nothing yet.
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
        (name, self.descriptor, isOwned) = ("stdin", descriptor, false)
    }

    deinit {
        if isOwned { descriptor.close() }
    }

    /// All bytes, but not more than one past a bound: a result that is longer than `bytesMax` says that the file is.
    func contents(bytesMax: Int) throws(CommandError) -> [UInt8] {
        do throws(SystemError) {
            return first + (try descriptor.contents(bytesMax: max(0, bytesMax - first.count)))
        } catch {
            throw Self.failure(name, error)
        }
    }

    /// The next bytes; none at the end.
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
