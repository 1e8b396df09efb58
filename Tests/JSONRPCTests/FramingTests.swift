import Testing

@testable import JSONRPC

private func framed(_ messages: String...) -> String {
    messages.map { "Content-Length: \($0.utf8.count)\r\n\r\n\($0)" }.joined()
}

private let request = #"{"jsonrpc":"2.0","method":"update","id":1}"#
private let answer = #"{"jsonrpc":"2.0","id":1,"result":null}"#
private let parseError = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#
private let badHeader =
    #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: the header has no valid Content-Length"}}"#

/// Messages behind headers, and how the framing of a stream is told.
struct FramingTests {
    private static let streams: [(input: String, output: String)] = [
        (framed(request), framed(answer)),
        (framed(request, request), framed(answer, answer)),
        ("content-length:42\r\n\r\n" + request, framed(answer)),
        ("CONTENT-LENGTH: 42\n\n" + request, framed(answer)),
        (
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 42\r\n\r\n" + request,
            framed(answer)
        ),
        ("Content-Length: 42\r\nContent-Length: 42\r\n\r\n" + request, framed(answer)),
        (" \r\n" + framed(request) + "\r\n\r\n" + framed(request), framed(answer, answer)),
        ("\u{FEFF}" + framed(request), framed(answer)),
        (framed("[" + request + "," + request + "]"), framed("[" + answer + "," + answer + "]")),
        (framed(#"{"jsonrpc":"2.0","method":"update"}"#), ""),
        (framed("{}}", request), framed(parseError, answer)),
        (framed("", request), framed(parseError, answer)),
        (framed("{\n\"jsonrpc\":\"2.0\",\r\n\"method\":\"update\",\n\"id\":1}"), framed(answer)),
        ("Content-Length: 42\r\nContent-Length: 43\r\n\r\n" + request + framed(request), framed(badHeader, answer)),
        ("Content-Type: x\r\n\r\n{}" + framed(request), framed(badHeader, answer)),
        ("Content-Length: -1\r\n\r\n" + framed(request), framed(badHeader, answer)),
        ("Content-Length: x\r\n\r\n" + framed(request), framed(badHeader, answer)),
        ("hello\n" + framed(request), framed(badHeader, answer)),
        ("Content-Length: 99\r\n\r\n" + request, framed(parseError)),
    ]

    @Test(arguments: streams.indices)
    func readsHeaders(_ row: Int) {
        let (input, output) = Self.streams[row]
        let bytes = Array(input.utf8)
        #expect(exchange().text(for: [bytes]) == output)
        for place in 0...bytes.count {
            #expect(exchange().text(for: [Array(bytes[..<place]), Array(bytes[place...])]) == output)
        }
        #expect(exchange().text(for: bytes.map { [$0] }) == output)
    }

    @Test func dropsAMessageOverTheBoundAndServesTheNext() {
        let large = Array(framed(String(repeating: " ", count: Limits.lineBytesMax + 1)).utf8)
        let next = Array(framed(request).utf8)
        for pieces in [[large + next], [large, next], [Array(large[..<100]), Array(large[100...]) + next]] {
            let text = exchange().text(for: pieces)
            #expect(text.contains("8388608 bytes") && text.contains("-32600"))
            #expect(text.hasSuffix(framed(answer)))
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

    /// A message once got no answer where it was read at once with headers over the bound before it.
    @Test(arguments: overlongHeaders.indices)
    func answersAMessageBehindHeadersOverTheBound(_ row: Int) {
        let header = Array(Self.overlongHeaders[row].utf8)
        let next = Array(framed(request).utf8)
        let bytes = header + next
        #expect(exchange().text(for: [bytes]) == framed(badHeader, answer))
        #expect(exchange().text(for: [header, next]) == framed(badHeader, answer))
        for place in (header.count - 20)...(header.count + 20) {
            let pieces = [Array(bytes[..<place]), Array(bytes[place...])]
            #expect(exchange().text(for: pieces) == framed(badHeader, answer))
        }
    }

    @Test func takesLinesWhereTheFirstByteIsNoLetter() {
        for input in [request, "\u{FEFF}" + request, "\r\n \t" + request, "[" + request + "]", "7", "\"x\""] {
            let text = Exchange(order: nil, framing: .auto).text(for: Array(input.utf8).map { [$0] })
            #expect(text.hasSuffix("\n") && !text.contains("Content-Length"))
        }
    }

    @Test func holdsToTheFramingThatItIsTold() {
        #expect(Exchange(framing: .line).text(for: [Array("Content-Length: 2".utf8)]) == parseError + "\n")
        #expect(Exchange(framing: .header).text(for: [Array("{}\n\n".utf8)]) == framed(badHeader))
    }

    @Test func answersBehindHeadersAsCompletedUnlessToldOtherwise() {
        let slow = #"{"jsonrpc":"2.0","id":1,"method":"slow","params":{"value":4,"lane":"a"}}"#
        let quick = #"{"jsonrpc":"2.0","id":2,"method":"write","params":{"value":1,"lane":"b"}}"#
        let answers = [#"{"jsonrpc":"2.0","id":1,"result":8}"#, #"{"jsonrpc":"2.0","id":2,"result":true}"#]
        let input = [Array(framed(slow, quick).utf8)]
        #expect(Exchange(order: nil, framing: .auto).text(for: input) == framed(answers[1], answers[0]))
        #expect(Exchange(order: .inOrder, framing: .auto).text(for: input) == framed(answers[0], answers[1]))
        #expect(Exchange(order: nil, framing: .auto).lines(for: slow + "\n" + quick) == answers)
    }

    private func exchange() -> Exchange { Exchange(order: nil, framing: .auto) }
}
