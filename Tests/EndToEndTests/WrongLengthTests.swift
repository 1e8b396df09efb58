import Foundation
import JSON
import PosternTesting
import Testing

/// A Content-Length that is too long or too short, tested with the real binary:
/// the good frames around it are answered.
struct WrongLengthTests {
    private static func info(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"system.info"}"# }

    private static func framed(_ text: String, off bytes: Int = 0) -> String {
        "Content-Length: \(text.utf8.count + bytes)\r\n\r\n\(text)"
    }

    /// Sends a stream in pieces, with a pause after each, and returns all replies.
    private func replies(to stream: String, inPiecesOf length: Int) throws -> [JSONValue] {
        let process = try PosternProcess(["--data", ":memory:"])
        let bytes = Array(stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: length) {
            process.write(Data(bytes[start..<min(start + length, bytes.count)]))
            usleep(300)
        }
        process.closeInput()
        var replies: [JSONValue] = []
        while case let reply = try process.nextFramedReply(), reply != .null { replies.append(reply) }
        return replies
    }

    private func answered(_ replies: [JSONValue]) -> [Int] {
        replies.filter { $0["result"] != nil }.compactMap { $0["id"]?.int }.sorted()
    }

    /// A length that was fourteen or more bytes too long once cost the next good frame its reply.
    /// The lengths include a part of the next header, the whole header, a part of the next message,
    /// whole frames, and more than the rest of the stream.
    @Test(arguments: [1, 2, 13, 14, 15, 16, 18, 20, 22, 40, 69, 91, 120, 138, 139, 5_000], [1, 7, 64, 4_096])
    func answersTheFramesAroundOneWithALengthThatIsTooLong(_ excess: Int, _ piece: Int) throws {
        let stream =
            Self.framed(Self.info(1)) + Self.framed(Self.info(9), off: excess) + Self.framed(Self.info(2))
            + Self.framed(Self.info(3))
        let replies = try self.replies(to: stream, inPiecesOf: piece)
        #expect(answered(replies) == [1, 2, 3] && replies.count == 4)
        let error = replies.first { $0["error"] != nil }?["error"]
        #expect(error?["code"]?.int == -32700)
        // If the pieces are small, the message is answered before the bytes arrive that show how its length is wrong.
        let hint = piece < 64 ? "Content-Length" : "Content-Length is too long"
        #expect(error?["message"]?.string?.contains(hint) == true)
    }

    /// A message that is not JSON and ends with a letter of
    /// `Content-Length` was once answered only when the next one came.
    @Test(arguments: ["c", "CONT", "Content-Length"])
    func answersAtOnceThoughTheNextHeaderMayHaveBegun(_ end: String) throws {
        let process = try PosternProcess(["--data", ":memory:"])
        process.write(Data(Self.framed(#"{"jsonrpc":"2.0","method":""# + end).utf8))
        #expect(try process.nextFramedReply()["error"]?["code"]?.int == -32700)
        process.write(Data(Self.framed(Self.info(2)).utf8))
        #expect(try process.nextFramedReply()["result"] != nil)
    }

    /// A length that counts characters is too short by at least one byte for each non-ASCII character.
    @Test(arguments: ["é", "ééé", "日本語", "d: é", "🦊 note: x: é"], [1, 7, 64, 4_096])
    func answersTheFramesAroundOneWithALengthInCharacters(_ name: String, _ piece: Int) throws {
        let text = #"{"jsonrpc":"2.0","method":"system.info","id":"\#(name): x"}"#
        let stream =
            Self.framed(Self.info(1)) + "Content-Length: \(text.count)\r\n\r\n\(text)" + Self.framed(Self.info(2))
            + Self.framed(Self.info(3))
        let replies = try self.replies(to: stream, inPiecesOf: piece)
        #expect(answered(replies) == [1, 2, 3])
        let error = try #require(replies.first { $0["error"] != nil }?["error"])
        #expect(
            error["code"]?.int == -32700 && error["message"]?.string?.contains("Content-Length counts bytes") == true
        )
    }
}
