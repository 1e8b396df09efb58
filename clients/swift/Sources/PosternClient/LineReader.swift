import Glibc

/// Cuts what a descriptor gives into lines of any length.
struct LineReader {
    private let descriptor: Int32
    /// The start of a line whose end has not come.
    private var partial: [UInt8] = []

    /// Past how many bytes without a line feed they are handed on as a line.
    private let lineBytesMax: Int

    /// - Parameter descriptor: a pipe's end, which is closed when all is read.
    init(_ descriptor: Int32, lineBytesMax: Int = .max) {
        self.descriptor = descriptor
        self.lineBytesMax = lineBytesMax
    }

    /// Reads to the end, waiting for what comes, and hands on each line without its line feed.
    ///
    /// - Returns: what stands behind the last line feed.
    mutating func forEachLine(_ body: (UnsafeRawBufferPointer) -> Void) -> [UInt8] {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.readBytes, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = read(descriptor, chunk.baseAddress, chunk.count)
            if count > 0 {
                cut(UnsafeRawBufferPointer(rebasing: chunk[..<count]), body)
            } else if count == 0 || errno != EINTR {
                close(descriptor)
                return partial
            }
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
