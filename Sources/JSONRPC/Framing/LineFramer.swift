internal import Platform

/// Cuts the input into lines.
///
/// A line ends with LF; the last line may lack it. A CR before the LF, blank lines, and one byte order mark at the
/// start of the input are ignored. A line over the length limit is dropped up to its end and reported once.
struct LineFramer: ~Copyable {
    private var partial = InputBuffer()
    private var isDropping = false
    private var isAtStart = true

    /// Takes bytes that were read. Returns the lines that they complete, and the chunk that contains them.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        guard let lastEnd = read.lastIndex(of: Self.lineFeed) else {
            hold(read[...])
            let frames: [Frame] = dropIfTooLong() ? [.tooLong] : []
            return (.empty, frames)
        }
        var complete = read[...lastEnd]
        if isDropping, let end = Self.lineEnd(in: complete) {
            isDropping = false
            complete = complete[(end + 1)...]
        }
        let chunk = partial.withUnsafeBytes { Chunk(copying: $0, then: UnsafeRawBufferPointer(rebasing: complete)) }
        partial.removeFirst(partial.count)
        hold(read[(lastEnd + 1)...])
        var frames = cut(chunk)
        if dropIfTooLong() { frames.append(.tooLong) }
        return (chunk, frames)
    }

    /// Returns the last line at the end of the input if it has no LF.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        var lineFeed = Self.lineFeed
        withUnsafeBytes(of: &lineFeed) { partial.append($0) }
        let chunk = partial.withUnsafeBytes { Chunk(copying: $0) }
        partial.removeFirst(partial.count)
        return (chunk, isDropping ? [] : cut(chunk))
    }

    /// Adds bytes to the incomplete line. If a line is being dropped, adds only the bytes after its end.
    private mutating func hold(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard isDropping else { return partial.append(UnsafeRawBufferPointer(rebasing: bytes)) }
        guard let end = Self.lineEnd(in: bytes) else { return }
        isDropping = false
        partial.append(UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...]))
    }

    private mutating func dropIfTooLong() -> Bool {
        guard partial.count > Limits.lineBytesMax else { return false }
        partial.removeFirst(partial.count)
        isDropping = true
        return true
    }

    private mutating func cut(_ chunk: Chunk) -> [Frame] {
        var frames: [Frame] = []
        let bytes = chunk.bytes
        var start = 0
        if isAtStart, !bytes.isEmpty {
            isAtStart = false
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
        }
        while let lineFeed = bytes.offset(of: Self.lineFeed, in: start..<bytes.count) {
            let end = lineFeed > start && bytes[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            start = lineFeed + 1
            if line.count > Limits.lineBytesMax {
                frames.append(.tooLong)
            } else if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
                frames.append(.message(line))
            }
        }
        return frames
    }

    /// The index of the first LF. The search compares many bytes at a time.
    private static func lineEnd(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        UnsafeRawBufferPointer(rebasing: bytes).offset(of: lineFeed).map { bytes.startIndex + $0 }
    }

    private static let lineFeed: UInt8 = 0x0A
}
