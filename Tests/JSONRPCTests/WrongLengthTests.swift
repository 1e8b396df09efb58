import Testing

@testable import JSONRPC

private func framed(_ message: String, off bytes: Int = 0) -> String {
    "Content-Length: \(message.utf8.count + bytes)\r\n\r\n\(message)"
}

/// A wrong Content-Length does not cost the messages around it their replies, whether it is too long or too short.
struct WrongLengthTests {
    private static func request(_ id: Int) -> String { #"{"jsonrpc":"2.0","method":"update","id":\#(id)}"# }
    private static func reply(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":null}"# }

    private static let parseError = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#
    private static let next = ["", "Content-Type: a/b; charset=utf-8\r\n"]

    /// The replies to a stream that is read in pieces of a given length.
    private func replies(to stream: String, inPiecesOf length: Int) -> [String]? {
        let bytes = Array(stream.utf8)
        let pieces = stride(from: 0, to: bytes.count, by: length).map {
            Array(bytes[$0..<min($0 + length, bytes.count)])
        }
        return Exchange(order: nil, framing: .auto).text(for: pieces).unframed
    }

    /// A length that was fourteen or more bytes too long once cost the message that it included its reply.
    @Test(arguments: 1...140)
    func repliesToMessagesIncludedInALengthThatIsTooLong(_ excess: Int) throws {
        let good = framed(Self.request(2)) + framed(Self.request(3)) + framed(Self.request(4))
        let stream = framed(Self.request(1)) + framed(Self.request(9), off: excess) + good
        // At the end of the input, a length may exceed the rest of the stream.
        for length in [1, 2, 3, 7, 16, 50, 64, 100, 1_000] {
            let replies = try #require(self.replies(to: stream, inPiecesOf: length))
            #expect(replies == [Self.reply(1), Self.parseError, Self.reply(2), Self.reply(3), Self.reply(4)])
        }
    }

    @Test(arguments: [1, 13, 14, 40, 90, 5_000])
    func reportsALengthThatIsTooLong(_ excess: Int) {
        let stream = framed(Self.request(9), off: excess) + framed(Self.request(2)) + framed(Self.request(3))
        let text = Exchange(order: nil, framing: .auto).text(for: [Array(stream.utf8)])
        #expect(text.contains("Parse error: Content-Length is too long") && text.contains(Self.reply(2)))
    }

    /// The rest of a message may look like a header whose value contains the next Content-Length.
    @Test(arguments: 1...60, [#"{"jsonrpc":"2.0","method":"update","id":"a: b: c","x":"note: y"}"#])
    func repliesToMessagesAfterALengthThatIsTooShort(_ lack: Int, _ message: String) throws {
        let stream =
            framed(Self.request(1)) + framed(message, off: -lack) + framed(Self.request(2)) + framed(Self.request(3))
        for length in [1, 2, 5, 16, 50, 1_000] {
            let replies = try #require(self.replies(to: stream, inPiecesOf: length))
            #expect(replies.first == Self.reply(1) && replies.dropFirst().first == Self.parseError)
            #expect(replies.suffix(2) == [Self.reply(2), Self.reply(3)])
        }
    }

    /// Messages with a right length that contain the name of the header, or a part of it.
    @Test(arguments: [
        #"{"jsonrpc":"2.0","method":"update","id":"Content-Length: 42"}"#,
        #"{"jsonrpc":"2.0","method":"update","id":"Content-Length: 42\r\n\r\n{}"}"#,
        "{\"jsonrpc\":\"2.0\",\n\"id\":\"Content-Length: 4\",\n\"method\":\"update\"\n}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":\"c\"}\r\n",
    ])
    func acceptsAGoodMessage(_ message: String) throws {
        for length in [1, 7, 1_000] {
            let replies = try #require(self.replies(to: framed(message) + framed(Self.request(2)), inPiecesOf: length))
            #expect(replies.count == 2 && replies.allSatisfy { $0.contains("\"result\":null") })
        }
    }

    /// A message that is not JSON and includes nothing of the next is still one parse error.
    @Test(arguments: ["abc", "{}c", "Content", "{\"a\":\"Content-Length", "Content-Length: x\r\n"])
    func repliesToABadMessageWithOneParseError(_ message: String) throws {
        for length in [1, 7, 1_000] {
            let stream = framed(message) + framed(Self.request(2))
            #expect(replies(to: stream, inPiecesOf: length) == [Self.parseError, Self.reply(2)])
            #expect(replies(to: framed(message), inPiecesOf: length) == [Self.parseError])
        }
    }

    /// A message that ended with a letter of `Content-Length` once got its reply only when the next one came. A host
    /// that waits for the reply never sends the next one.
    @Test(arguments: 1...14)
    func repliesAtOnceThoughTheNextHeaderMayHaveBegun(_ count: Int) {
        var framer = HeaderFramer()
        let message = #"{"jsonrpc":"2.0","method":""# + String("Content-Length".prefix(count))
        let hasReply = Array(framed(message).utf8).withUnsafeBytes { bytes in
            let (chunk, frames) = framer.frames(of: bytes)
            return withExtendedLifetime(chunk) {
                frames == [.message(UnsafeRawBufferPointer(rebasing: bytes.suffix(message.utf8.count)))]
            }
        }
        #expect(hasReply)
        let bare = Array("Contents\n\(framed(Self.request(2)))".utf8).withUnsafeBytes { framer.frames(of: $0).frames }
        #expect(bare.count == 2 && bare.first == .badHeader)
    }

    /// Lengths that include each other are read in linear time.
    @Test(arguments: ["Content-Length: 99999\r\n\r\n", "Content-Length: 99999\r\n\r\nx\nContent-Length:\n", "\n"])
    func readsOverlappingLengthsInLinearTime(_ piece: String) {
        let times = [40_000, 160_000].map { count in
            let bytes = Array(String(repeating: piece, count: count / piece.utf8.count).utf8)
            let stream = Array("Content-Length: \(count)\r\n\r\n".utf8) + bytes
            return ContinuousClock().measure { _ = Exchange(framing: .header).text(for: [stream]) }
        }
        #expect(times[1] < times[0] * 12 + .milliseconds(200))
    }
}
