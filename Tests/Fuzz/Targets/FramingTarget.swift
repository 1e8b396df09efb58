@testable import JSONRPC

/// The framing of the input: the same messages result from any split of the stream into reads.
///
/// The first byte of an input chooses the framing, the second seeds the splits, and the rest is the stream.
enum FramingTarget {
    /// A frame in a form that can be compared.
    private enum Piece: Equatable {
        case message([UInt8])
        case other(String)
    }

    private static let framings: [Framing] = [.auto, .line, .header]

    static func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        let framing = framings[Int(input[0]) % framings.count]
        let stream = input[2...]
        let whole = pieces(of: stream, framing) { _ in stream.count }
        let single = pieces(of: stream, framing) { _ in 1 }
        var state = UInt32(input[1]) &* 2_654_435_761 | 1
        let random = pieces(of: stream, framing) { left in
            state = state &* 1_664_525 &+ 1_013_904_223
            return min(left, Int(state >> 24) % 40 + 1)
        }
        hold(whole == single, "\(framing): whole \(whole.map(text)), byte by byte \(single.map(text))")
        hold(whole == random, "\(framing): whole \(whole.map(text)), in chunks \(random.map(text))")
    }

    private static func text(_ piece: Piece) -> String {
        switch piece {
        case .message(let bytes): shown(bytes).debugDescription
        case .other(let name): name
        }
    }

    /// Whether a message ends with the first bytes of `Content-Length`. Only the bytes after it show whether its
    /// length is too long, if they were read together with it. The message is not JSON in either case.
    private static func mayTakeInHeader(_ message: UnsafeRawBufferPointer) -> Bool {
        let name = HeaderSyntax.contentLengthName
        return (1...name.count).contains { count in
            message.count >= count
                && HeaderSyntax.isSame(message[(message.count - count)...], Array(name.prefix(count)))
        }
    }

    /// The frames of a stream that is read in chunks. `length` returns the length of the next chunk.
    private static func pieces(of stream: ArraySlice<UInt8>, _ framing: Framing, length: (Int) -> Int) -> [Piece] {
        var framer = Framer(framing)
        var pieces: [Piece] = []
        func add(_ frames: [Frame], in chunk: Chunk) {
            withExtendedLifetime(chunk) {
                for frame in frames {
                    switch frame {
                    case .message(let bytes):
                        if let first = bytes.baseAddress, let start = chunk.bytes.baseAddress {
                            let place = first - start
                            hold(
                                place >= 0 && place + bytes.count <= chunk.bytes.count,
                                "a message outside its chunk"
                            )
                        }
                        pieces.append(
                            mayTakeInHeader(bytes) ? .other("\(Frame.lengthTooLong)") : .message(Array(bytes))
                        )
                    default: pieces.append(.other("\(frame)"))
                    }
                }
            }
        }
        var rest = stream
        while !rest.isEmpty {
            let part = rest.prefix(max(1, length(rest.count)))
            rest = rest.dropFirst(part.count)
            let (chunk, frames) = part.withUnsafeBytes { framer.frames(of: $0) }
            add(frames, in: chunk)
        }
        let (chunk, frames) = framer.rest()
        add(frames, in: chunk)
        return pieces
    }
}
