/// Cuts what is read into messages behind headers:
///
///     Content-Length: 54\r\n
///     \r\n
///     {"jsonrpc":"2.0","id":1,"method":"system.info"}
///
/// The names of headers may be in any case, and those other than Content-Length are let pass. A line may end with LF
/// alone. Headers that tell no length are told of once, and reading goes on where the next Content-Length stands.
struct HeaderFramer {
    /// What stands at a place where headers are expected.
    private enum Head {
        case incomplete
        case bad(bytes: Int)
        case length(Int, headBytes: Int)
    }

    private var pending: [UInt8] = []
    /// How many bytes of a message over the bound are still to be dropped.
    private var bytesToDrop = 0
    /// Whether the place where the next headers begin is not known.
    private var isLost = false

    /// Takes what was read and gives the messages that it completes, with the memory they stand in.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        pending.append(contentsOf: read)
        var position = 0
        var cuts: [Cut] = []
        while let cut = cutNext(at: &position) { cuts.append(cut) }
        let chunk = pending.withUnsafeBytes { Chunk(copying: UnsafeRawBufferPointer(rebasing: $0[..<position])) }
        pending.removeFirst(position)
        return (chunk, cuts.compactMap { $0.frame(in: chunk) })
    }

    /// What is left at the end of the input: a message that was cut short, which is no JSON then.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        guard !isLost, bytesToDrop == 0, !pending.allSatisfy(Self.isSpace) else { return (.empty, []) }
        let chunk = pending.withUnsafeBytes { Chunk(copying: $0) }
        pending = []
        return (chunk, [.message(chunk.bytes)])
    }

    /// A frame before the memory that it stands in is settled.
    private enum Cut {
        case message(Range<Int>)
        case plain(Frame)
        case nothing

        func frame(in chunk: Chunk) -> Frame? {
            switch self {
            case .message(let range): .message(UnsafeRawBufferPointer(rebasing: chunk.bytes[range]))
            case .plain(let frame): frame
            case .nothing: nil
            }
        }
    }

    /// Cuts what stands at a position, and moves behind it; nil where more has to be read.
    private mutating func cutNext(at position: inout Int) -> Cut? {
        if bytesToDrop > 0 {
            let count = min(bytesToDrop, pending.count - position)
            bytesToDrop -= count
            position += count
            return count > 0 ? .nothing : nil
        }
        if isLost {
            guard let found = nextContentLength(from: position) else {
                position = max(position, pending.count - Self.contentLength.count)
                return nil
            }
            position = found
            isLost = false
        }
        while position < pending.count, Self.isSpace(pending[position]) { position += 1 }
        switch head(at: position) {
        case .incomplete: return nil
        case .bad(let bytes):
            position += bytes
            isLost = true
            return .plain(.badHeader)
        case .length(let length, let headBytes):
            if length > Limits.lineBytesMax {
                bytesToDrop = length
                position += headBytes
                return .plain(.tooLong)
            }
            let start = position + headBytes
            guard pending.count - start >= length else { return nil }
            position = start + length
            return .message(start..<position)
        }
    }

    /// Reads the headers at a position, up to the empty line behind them. Those over the bound are dropped no further than
    /// to the line that crosses it, or to the bound where that is the first: a good message may stand behind.
    private func head(at start: Int) -> Head {
        var length: Int?
        var lineStart = start
        let bound = start + Limits.headerBytesMax
        while let end = pending[lineStart..<min(bound, pending.count)].firstIndex(of: UInt8(ascii: "\n")) {
            var line = pending[lineStart..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            let behind = end + 1 - start
            if line.isEmpty { return length.map { .length($0, headBytes: behind) } ?? .bad(bytes: behind) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return .bad(bytes: behind) }
            if Self.isSame(line[..<colon], Self.contentLength) {
                let value = String(decoding: line[(colon + 1)...].filter { !Self.isSpace($0) }, as: UTF8.self)
                guard let number = Int(value), number >= 0, length == nil || length == number else {
                    return .bad(bytes: behind)
                }
                length = number
            }
            lineStart = end + 1
        }
        guard pending.count >= bound else { return .incomplete }
        // The next Content-Length may have begun before the bound.
        return .bad(bytes: lineStart > start ? lineStart - start : bound - Self.contentLength.count - start)
    }

    private func nextContentLength(from position: Int) -> Int? {
        let last = pending.count - Self.contentLength.count
        guard position <= last else { return nil }
        return (position...last).first {
            Self.isSame(pending[$0..<($0 + Self.contentLength.count)], Self.contentLength)
        }
    }

    private static let contentLength = Array("content-length".utf8)

    private static func isSame(_ bytes: ArraySlice<UInt8>, _ lowerCase: [UInt8]) -> Bool {
        bytes.count == lowerCase.count && zip(bytes, lowerCase).allSatisfy { $0 == $1 || $0 | 0x20 == $1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) || [0xEF, 0xBB, 0xBF].contains(byte)
    }
}
