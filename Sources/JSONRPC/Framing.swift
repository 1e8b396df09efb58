/// How messages are told apart in a stream.
package enum Framing: String, Sendable {
    /// By what the stream begins with.
    case auto
    /// One message a line.
    case line
    /// Each message behind headers that tell its length, as in the Language Server Protocol.
    case header
}

/// A piece of the input.
enum Frame {
    /// A message's text, as bytes within the chunk.
    case message(UnsafeRawBufferPointer)
    /// A message over the bound, which was dropped.
    case tooLong
    /// Headers that do not tell a length, so that what follows them was dropped up to the next that may.
    case badHeader
}

/// Cuts what is read into messages.
///
/// Where the framing is left open, the first byte that is neither white space nor a byte order mark decides it for good:
/// a letter begins a header, anything else a line.
struct Framer {
    /// The framing; `auto` until it is known.
    private(set) var framing: Framing
    private var lines = LineFramer()
    private var headers = HeaderFramer()

    init(_ framing: Framing) {
        self.framing = framing
    }

    /// Takes what was read and gives the messages that it completes, with the memory they stand in.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        if framing == .auto {
            guard let start = read.firstIndex(where: { !Self.isSkipped($0) }) else { return (.empty, []) }
            framing = Self.isLetter(read[start]) ? .header : .line
            return cut(UnsafeRawBufferPointer(rebasing: read[start...]))
        }
        return cut(read)
    }

    /// What is left at the end of the input.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        framing == .header ? headers.rest() : lines.rest()
    }

    private mutating func cut(_ bytes: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        framing == .header ? headers.frames(of: bytes) : lines.frames(of: bytes)
    }

    /// White space, and the bytes of a byte order mark.
    private static func isSkipped(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
