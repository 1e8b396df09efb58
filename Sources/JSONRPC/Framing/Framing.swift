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
enum Frame: Equatable {
    /// A message's text, as bytes within the chunk.
    case message(UnsafeRawBufferPointer)
    /// A message over the bound, which was dropped.
    case tooLong
    /// What is no header block where one is expected, so that what follows was dropped up to the next that may be one.
    case badHeader
    /// Headers, or a message behind them, that the end of the input cuts short.
    case cutShort
    /// A message whose length takes in headers of the next, which is cut as if the length were right.
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

/// Cuts what is read into messages.
struct Framer: ~Copyable {
    /// The framing; `auto` until it is known.
    private(set) var framing: Framing
    private var detector = FramingDetector()
    private var lines = LineFramer()
    private var headers = HeaderFramer()

    init(_ framing: Framing) {
        self.framing = framing
    }

    /// Takes what was read and gives the messages that it completes, with the memory they stand in.
    mutating func frames(of read: UnsafeRawBufferPointer) -> (chunk: Chunk, frames: [Frame]) {
        guard framing == .auto else { return cut(read) }
        guard let known = detector.receive(read) else { return (.empty, []) }
        return decide(known)
    }

    /// What is left at the end of the input.
    mutating func rest() -> (chunk: Chunk, frames: [Frame]) {
        guard framing == .auto else { return framing == .header ? headers.rest() : lines.rest() }
        // What decided nothing is answered as the lines that it may be, of which the last may lack its end.
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
