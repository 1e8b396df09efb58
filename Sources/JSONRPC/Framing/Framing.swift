import JSON

/// How messages are separated in a stream.
package enum Framing: String, Sendable {
    /// Detected from the start of the stream.
    case auto
    /// One message per line.
    case line
    /// Each message follows headers that state its length, as in the Language Server Protocol.
    case header
}

extension JSONWriter {
    /// Writes what goes before a message of `bytes` bytes.
    mutating func beginMessage(bytes: Int, in framing: Framing) {
        if framing == .header { verbatim(Array("Content-Length: \(bytes)\r\n\r\n".utf8)) }
    }

    /// Writes what goes after a message.
    mutating func endMessage(in framing: Framing) {
        if framing != .header { newline() }
    }
}

/// A piece of the input.
enum Frame: Equatable {
    /// The bytes of a message, in the chunk.
    case message(UnsafeRawBufferPointer)
    /// A message over the length limit, which was dropped.
    case tooLong
    /// An invalid header block. The bytes up to the next possible header block were dropped.
    case badHeader
    /// Headers or a message that ends early because the input ends.
    case cutShort
    /// A message whose Content-Length is too long and includes the next message's header. The next cut is at that
    /// header.
    case lengthTooLong
    /// An HTTP request, which was dropped.
    case http

    static func == (left: Frame, right: Frame) -> Bool {
        switch (left, right) {
        case (.tooLong, .tooLong), (.badHeader, .badHeader), (.cutShort, .cutShort), (.lengthTooLong, .lengthTooLong),
            (.http, .http):
            true
        case (.message(let left), .message(let right)): left.elementsEqual(right)
        default: false
        }
    }
}

/// Cuts the input into messages.
struct Framer: ~Copyable {
    /// The framing; `auto` until it is detected.
    private(set) var framing: Framing
    private var detector = FramingDetector()
    private var lines = LineFramer()
    private var headers = HeaderFramer()

    init(_ framing: Framing) {
        self.framing = framing
    }

    /// Takes bytes that were read. Returns the frames that they complete, and the chunk that contains them.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        guard framing == .auto else { return cut(read) }
        guard let known = detector.receive(read) else { return (.empty, []) }
        return decide(known)
    }

    /// Returns the frames that remain at the end of the input.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        guard framing == .auto else { return framing == .header ? headers.rest() : lines.rest() }
        // Input that did not decide the framing is handled as lines. The last line may lack its line feed.
        var lineFeed: UInt8 = 0x0A
        withUnsafeBytes(of: &lineFeed) { _ = detector.receive($0) }
        return decide(.line)
    }

    private mutating func decide(_ known: Framing) -> (chunk: Chunk, frames: [Frame]) {
        framing = known
        let taken = detector.takePending()
        return taken.withUnsafeBytes { bytes in
            known == .header ? headers.frames(of: bytes) : lines.frames(of: bytes)
        }
    }

    private mutating func cut(_ bytes: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        framing == .header ? headers.frames(of: bytes) : lines.frames(of: bytes)
    }
}
