import Testing

@testable import JSONRPC

private func framed(_ messages: String...) -> String {
    messages.map { "Content-Length: \($0.utf8.count)\r\n\r\n\($0)" }.joined()
}

private let request = #"{"jsonrpc":"2.0","method":"update","id":1}"#
private let reply = #"{"jsonrpc":"2.0","id":1,"result":null}"#
private let parseError = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#
private let badHeader =
    #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request"}}"#

/// Header framing, and how the framing of a stream is detected.
struct FramingTests {
    private static let streams: [(input: String, output: String)] = [
        (framed(request), framed(reply)),
        (framed(request, request), framed(reply, reply)),
        ("content-length:42\r\n\r\n" + request, framed(reply)),
        ("CONTENT-LENGTH: 42\n\n" + request, framed(reply)),
        (
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 42\r\n\r\n" + request,
            framed(reply)
        ),
        ("Content-Length: 42\r\nContent-Length: 42\r\n\r\n" + request, framed(reply)),
        (" \r\n" + framed(request) + "\r\n\r\n" + framed(request), framed(reply, reply)),
        ("\u{FEFF}" + framed(request), framed(reply)),
        (framed("[" + request + "," + request + "]"), framed("[" + reply + "," + reply + "]")),
        (framed(#"{"jsonrpc":"2.0","method":"update"}"#), ""),
        (framed("{}}", request), framed(parseError, reply)),
        (framed("", request), framed(parseError, reply)),
        (framed("{\n\"jsonrpc\":\"2.0\",\r\n\"method\":\"update\",\n\"id\":1}"), framed(reply)),
        ("Content-Length: 42\r\nContent-Length: 43\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Type: x\r\n\r\n{}" + framed(request), framed(badHeader, reply)),
        ("Content-Length: -1\r\n\r\n" + framed(request), framed(badHeader, reply)),
        ("Content-Length: x\r\n\r\n" + framed(request), framed(badHeader, reply)),
        ("hello\n" + framed(request), framed(badHeader, reply)),
        ("Content-Length: 99\r\n\r\n" + request, framed(parseError)),
        // `4 7` was once read as 47, and 2^63-1 consumed the rest of the stream.
        ("Content-Length: 4 2\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Length: +42\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Length: 0x2A\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Length: 9223372036854775807\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Length: 18446744073709551616\r\n\r\n" + framed(request), framed(badHeader, reply)),
        ("X: y\r\nContent-Length: 42\r\nX Y: z\r\n\r\n" + request + framed(request), framed(badHeader, reply)),
        ("Content-Type: x\r\nX Y: z\r\n" + framed(request), framed(badHeader, reply)),
        ("Content-Length:\t42 \r\n\r\n" + request, framed(reply)),
        // A length that is too short or too long does not cost the good message after it its reply.
        (
            "Content-Length: 41\r\n\r\n" + request + framed(request, request),
            framed(parseError, badHeader, reply, reply)
        ),
        (
            "Content-Length: 44\r\n\r\n" + request + framed(request, request),
            framed(parseError, reply, reply)
        ),
        // White space, when read separately, once hid that the header does not follow a message at once.
        (
            framed(request) + "\u{C}\u{C}t-Length: 42\r\n\r\n" + request + framed(request),
            framed(reply, badHeader, reply)
        ),
        (framed(request) + request + "\n" + framed(request), framed(reply, badHeader, reply)),
        (framed(request) + "{}{}\n\n" + framed(request), framed(reply, badHeader, reply)),
        ("hello\nworld: x\n" + framed(request), framed(badHeader, reply)),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + framed(request), framed(badHeader, reply)),
        (
            "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n" + request + framed(request),
            framed(badHeader, reply)
        ),
    ]

    /// A first line that is not a header once switched the stream to header framing permanently.
    @Test(arguments: ["true", "null", "hello from the launcher", "INFO: starting", "a\n\nb", "x\n7", "Content", "h:"])
    func detectsLineFramingAfterABanner(_ banner: String) {
        let bytes = Array((banner + "\n" + request + "\n" + request + "\n").utf8)
        for place in 0...bytes.count {
            let pieces = [Array(bytes[..<place]), Array(bytes[place...])]
            let lines = exchange().lines(for: pieces)
            #expect(lines.suffix(2) == [reply, reply])
            #expect(lines.dropLast(2).allSatisfy { $0.contains("\"error\"") } && lines.count > 2)
        }
    }

    @Test(arguments: ["true", "null", "hello", "Content"])
    func repliesToAStreamWithUnknownFraming(_ text: String) {
        let output = exchange().text(for: [Array(text.utf8)]).withoutReasons
        #expect(output.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32"#) && output.hasSuffix("\n"))
    }

    @Test func explainsItselfToAnHTTPClient() {
        let text = exchange().text(for: [Array("GET / HTTP/1.1\r\n".utf8)])
        #expect(text.contains("this is an HTTP request") && text.unframed == [badHeader])
    }

    /// In line framing, an HTTP request once got a parse error for each of its lines.
    @Test func explainsItselfToAnHTTPClientInLineFraming() {
        let text = Exchange(order: nil, framing: .line).text(for: [Array("POST /rpc HTTP/1.1\r\n".utf8)])
        #expect(text.contains("this is an HTTP request") && text.hasSuffix("\n"))
    }

    /// Each byte is examined a limited number of times, so the time is proportional to the length.
    @Test(arguments: [
        "Content-Length:", "Content-Length: 5\n", "X:", ":", "\n", "Content-Length: 9\r\n\r",
        "a: b\nContent-Length: x\n",
    ])
    func readsAdversarialInputInLinearTime(_ piece: String) {
        let times = [40_000, 160_000].map { count in
            let bytes = Array(String(repeating: piece, count: count / piece.utf8.count).utf8)
            let clock = ContinuousClock()
            return clock.measure { _ = Exchange(framing: .header).text(for: [bytes]) }
        }
        #expect(times[1] < times[0] * 12 + .milliseconds(200))
    }

    @Test(arguments: streams.indices)
    func readsHeaders(_ row: Int) throws {
        let (input, output) = Self.streams[row]
        let bytes = Array(input.utf8)
        let expected = try #require(output.unframed)
        #expect(exchange().text(for: [bytes]).unframed == expected)
        for place in 0...bytes.count {
            #expect(exchange().text(for: [Array(bytes[..<place]), Array(bytes[place...])]).unframed == expected)
        }
        #expect(exchange().text(for: bytes.map { [$0] }).unframed == expected)
    }

    @Test func dropsAMessageOverTheLimitAndServesTheNext() {
        let large = Array(framed(String(repeating: " ", count: Limits.lineBytesMax + 1)).utf8)
        let next = Array(framed(request).utf8)
        for pieces in [[large + next], [large, next], [Array(large[..<100]), Array(large[100...]) + next]] {
            let text = exchange().text(for: pieces)
            #expect(text.contains("8388608 bytes") && text.contains("-32600"))
            #expect(text.hasSuffix(framed(reply)))
        }
    }

    private static let overlongHeaders = [
        String(repeating: "x", count: 5_000),
        String(repeating: "x", count: Limits.headerBytesMax - 7),
        String(repeating: "x", count: 5_000) + "\r\n",
        "Content-Length: " + String(repeating: "0", count: 5_000) + "42\r\n\r\n" + request,
        "Content-Length: 42\r\nX: " + String(repeating: "x", count: 5_000) + "\r\n\r\n" + request,
        String(repeating: "X-Y: z\r\n", count: Limits.headerBytesMax / 8 - 1),
        String(repeating: "X-Y: z\r\n", count: 1_000),
    ]

    /// A message once got no reply if it was read together with headers over the limit before it.
    @Test(arguments: overlongHeaders.indices)
    func repliesToAMessageAfterHeadersOverTheLimit(_ row: Int) {
        let header = Array(Self.overlongHeaders[row].utf8)
        let next = Array(framed(request).utf8)
        let bytes = header + next
        #expect(exchange().text(for: [bytes]).unframed == [badHeader, reply])
        #expect(exchange().text(for: [header, next]).unframed == [badHeader, reply])
        for place in (header.count - 20)...(header.count + 20) {
            let pieces = [Array(bytes[..<place]), Array(bytes[place...])]
            #expect(exchange().text(for: pieces).unframed == [badHeader, reply])
        }
    }

    @Test func detectsLineFramingIfTheFirstByteIsNoLetter() {
        for input in [request, "\u{FEFF}" + request, "\r\n \t" + request, "[" + request + "]", "7", "\"x\""] {
            let text = Exchange(order: nil, framing: .auto).text(for: Array(input.utf8).map { [$0] })
            #expect(text.hasSuffix("\n") && !text.contains("Content-Length"))
        }
    }

    @Test func keepsTheChosenFraming() {
        #expect(
            Exchange(framing: .line).text(for: [Array("Content-Length: 2".utf8)]).withoutReasons == parseError + "\n"
        )
        let spaced = Array(("Content-Length : 42\r\n\r\n" + request + framed(request)).utf8)
        #expect(Exchange(framing: .header).text(for: [spaced]).unframed == [badHeader, reply])
        #expect(Exchange(framing: .header).text(for: [Array("{}\n\n".utf8)]).unframed == [badHeader])
    }

    @Test func repliesAsCompletedByDefaultInHeaderFraming() {
        let slow = #"{"jsonrpc":"2.0","id":1,"method":"slow","params":{"value":4,"lane":"a"}}"#
        let quick = #"{"jsonrpc":"2.0","id":2,"method":"write","params":{"value":1,"lane":"b"}}"#
        let replies = [#"{"jsonrpc":"2.0","id":1,"result":8}"#, #"{"jsonrpc":"2.0","id":2,"result":true}"#]
        let input = [Array(framed(slow, quick).utf8)]
        #expect(Exchange(order: nil, framing: .auto).text(for: input) == framed(replies[1], replies[0]))
        #expect(Exchange(order: .inOrder, framing: .auto).text(for: input) == framed(replies[0], replies[1]))
        #expect(Exchange(order: nil, framing: .auto).lines(for: slow + "\n" + quick) == replies)
    }

    private func exchange() -> Exchange { Exchange(order: nil, framing: .auto) }
}
