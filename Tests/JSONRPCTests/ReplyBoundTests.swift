import JSON
import Testing

@testable import JSONRPC

/// The limits on the reply to a batch and on one reply. A batch of a thousand long reads once took gigabytes.
struct ReplyBoundTests {
    private func large(_ bytes: Int, _ id: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"large","params":{"bytes":\#(bytes)}}"#
    }

    private func write(_ value: Int, id: Int? = nil) -> String {
        let id = id.map { #""id":\#($0),"# } ?? ""
        return #"{"jsonrpc":"2.0",\#(id)"method":"write","params":{"value":\#(value)}}"#
    }

    @Test(arguments: [Framing.line, .header], [ReplyOrder.inOrder, .asCompleted])
    func executesNoFurtherRequestOnceABatchIsFull(framing: Framing, order: ReplyOrder) throws {
        let reads = (1...40).map { large(1 << 20, $0) }
        let batch = "[" + (reads + [write(1, id: 41), write(2)]).joined(separator: ",") + "]"
        let exchange = Exchange(order: order, framing: framing)
        let text = exchange.text(
            for: [Array((batch + "\n").utf8)].map {
                framing == .line ? $0 : Array("Content-Length: \($0.count)\r\n\r\n".utf8) + $0
            }
        )
        let body = text.drop { $0 != "[" }
        let replies = try #require(try JSONValue(parsing: String(body)).array)
        #expect(replies.count == 41)
        #expect(replies.filter { $0["result"] != nil }.count == 16)
        #expect(replies[16...].allSatisfy { $0["error"]?["code"]?.int == -32000 })
        #expect(replies[40]["error"]?["message"]?.string?.contains("large: Not carried out") == false)
        #expect(
            replies[40]["error"]?["message"]?.string?.hasPrefix("write: Not carried out: the answer to the batch")
                == true
        )
        // Only the notification was executed, because it needs no reply.
        #expect(exchange.handler.durable == [2])
        #expect(text.utf8.count < Limits.answerBytesMax + 2 << 20)
    }

    @Test func repliesTheSameAfterACommitThatFailed() throws {
        let exchange = Exchange()
        exchange.handler.writesMax = 1
        let reads = (1...17).map { large(1 << 20, $0) }
        let batch =
            "[" + ([write(1, id: 18), write(2, id: 19)] + reads + [write(3, id: 20)]).joined(separator: ",") + "]"
        let replies = try #require(try JSONValue(parsing: exchange.text(for: [Array(batch.utf8)])).array)
        #expect(replies.count == 20)
        #expect(replies.last?["error"]?["code"]?.int == -32000)
        #expect(exchange.handler.durable == [1, 2])
    }

    /// A tool's call with a result that is too long once got a protocol error, which a model does not see.
    @Test func aHandlerMayReportARefusalInAResult() {
        let params = #"{"bytes":\#(Limits.answerBytesMax),"tells":true}"#
        let request = #"{"jsonrpc":"2.0","id":7,"method":"large","params":\#(params)}"#
        let lines = Exchange().lines(for: request + "\n" + large(1, 9))
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix(#"{"jsonrpc":"2.0","id":7,"result":"The answer is longer"#) == true)
    }

    @Test(arguments: [0, 1, 2, 3])
    func refusesAReplyOverTheLimitAndServesTheNext(_ neighbours: Int) throws {
        let before = (0..<neighbours).map { large(100, $0) }
        let lines = Exchange().lines(
            for: (before + [large(Limits.answerBytesMax, 7), large(Limits.answerBytesMax - 100, 8), large(1, 9)])
                .joined(separator: "\n")
        )
        #expect(lines.count == neighbours + 3)
        #expect(lines[neighbours].contains(#""id":7,"error":{"code":-32000,"message":"large: The answer is longer"#))
        #expect(lines[neighbours + 1].utf8.count > Limits.answerBytesMax - 100)
        #expect(lines.last == #"{"jsonrpc":"2.0","id":9,"result":"x"}"#)
    }
}
