import Platform

/// Reads lines of any length from a descriptor.
struct LineReader {
    private let descriptor: FileDescriptor
    /// The start of a line that has no line feed yet.
    private var partial: [UInt8] = []

    /// How many bytes a line may have before its first part is passed on as a line.
    private let lineBytesMax: Int

    /// - Parameter descriptor: the read end of a pipe, which is closed at the end of the input.
    init(_ descriptor: FileDescriptor, lineBytesMax: Int = .max) {
        self.descriptor = descriptor
        self.lineBytesMax = lineBytesMax
    }

    /// Reads to the end of the input, blocking, and calls `body` with each line without its line feed.
    ///
    /// - Returns: the bytes after the last line feed.
    mutating func forEachLine(_ body: (UnsafeRawBufferPointer) -> Void) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: Limits.readBytes)
        while case let count = read(into: &chunk), count > 0 {
            chunk.withUnsafeBytes { cut(UnsafeRawBufferPointer(rebasing: $0[..<count]), body) }
        }
        descriptor.close()
        return partial
    }

    /// Reads the available bytes and returns their number; 0 at the end, and after an error.
    private func read(into chunk: inout [UInt8]) -> Int {
        do throws(SystemError) {
            return try descriptor.read(into: &chunk)
        } catch {
            return 0
        }
    }

    private mutating func cut(_ chunk: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var rest = chunk[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let line = UnsafeRawBufferPointer(rebasing: rest[..<end])
            if partial.isEmpty {
                body(line)
            } else {
                partial.append(contentsOf: line)
                partial.withUnsafeBytes(body)
                partial.removeAll(keepingCapacity: partial.count <= Limits.keptBytes)
            }
            rest = rest[(end + 1)...]
        }
        partial.append(contentsOf: rest)
        if partial.count > lineBytesMax {
            partial.withUnsafeBytes(body)
            partial.removeAll()
        }
    }
}
