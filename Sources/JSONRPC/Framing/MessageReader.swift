/// Turns input bytes into messages, in order.
struct MessageReader: ~Copyable {
    /// The content of one frame.
    enum Received {
        case message(Message)
        case batch([Message])
    }

    private var framer: Framer
    /// The frames whose messages have not been taken.
    private var backlog = Backlog()
    /// A value spread over several lines that got an error, while further lines may belong to it; else nil.
    private var openValue: PrettyPrintedValue?

    init(_ framing: Framing) {
        framer = Framer(framing)
    }

    /// How messages are separated.
    var framing: Framing { framer.framing }

    /// Whether all messages have been taken.
    var isEmpty: Bool { backlog.isEmpty }

    /// How many frames have not been taken.
    var count: Int { backlog.count }

    /// Takes bytes that were read.
    mutating func receive(_ read: UnsafeRawBufferPointer) {
        let (chunk, frames) = framer.frames(of: read)
        backlog.append(frames, in: chunk)
    }

    /// Takes the end of the input.
    mutating func receiveEnd() {
        let (chunk, frames) = framer.rest()
        backlog.append(frames, in: chunk)
    }

    /// The next message or batch, and the chunk that contains it; nil if none is left.
    mutating func next() -> (Received, Chunk)? {
        while let (frame, chunk) = backlog.next() {
            switch frame {
            case .message(let bytes):
                if openValue != nil, belongsToOpenValue(bytes) { continue }
                return (received(Line(bytes, in: chunk, isLine: framing != .header), of: bytes), chunk)
            case .http: return (.message(.invalid(.http, id: nil)), chunk)
            case .tooLong: return (.message(.invalid(.messageTooLong, id: nil)), chunk)
            case .badHeader: return (.message(.invalid(.badHeader, id: nil)), chunk)
            case .cutShort: return (.message(.invalid(.cutShort, id: nil)), chunk)
            case .lengthTooLong: return (.message(.invalid(.lengthTooLong, id: nil)), chunk)
            }
        }
        return nil
    }

    private mutating func received(_ line: consuming Line, of bytes: UnsafeRawBufferPointer) -> Received {
        switch consume line {
        case .message(let message): return .message(message)
        case .batch(let messages): return .batch(messages)
        case .malformed(let error):
            if framing != .header { openValue = PrettyPrintedValue(firstLine: bytes) }
            return .message(.invalid(error, id: nil))
        }
    }

    /// Whether a line belongs to `openValue`, which already got its error.
    private mutating func belongsToOpenValue(_ line: UnsafeRawBufferPointer) -> Bool {
        let belongs = openValue?.takes(line) ?? false
        if openValue?.isOver == true { openValue = nil }
        return belongs
    }
}
