import JSON
import Platform
import Testing

@testable import JSONRPC

/// Messages that the server sends on its own, and the responses to them.
struct HostMessagesTests {
    /// A clock in milliseconds that the test sets.
    private final class Clock {
        var now = 0
    }

    /// The messages, and what became of the requests.
    private final class Host {
        let clock = Clock()
        let messages: HostMessages
        var answers: [HostAnswer] = []

        init() {
            let clock = clock
            var count = 0
            messages = HostMessages(
                newSecret: {
                    count += 1
                    return "secret-\(count)"
                },
                clock: { clock.now }
            )
        }

        func begin(
            _ framing: Framing = .line,
            unwrittenBytes: Int = 0,
            isInputOpen: Bool = true,
            hasReadAll: Bool = false
        ) {
            let stream = HostMessages.Stream(
                framing: framing,
                unwrittenBytes: unwrittenBytes,
                isInputOpen: isInputOpen
            )
            messages.beginTasks(stream, hasReadAll: hasReadAll)
        }

        func request(_ number: Int = 1) -> Bool {
            messages.request("ask", seconds: 30) { params in
                params.beginObject()
                params.property("number")
                params.int(number)
                params.endObject()
            } answered: {
                self.answers.append($0)
            }
        }

        func notify(bytes: Int = 0) -> Bool {
            messages.notify("tell") { $0.string(String(repeating: "x", count: bytes)) }
        }

        var output: String { String(decoding: messages.takeOutput(), as: UTF8.self) }

        /// Receives lines through a connection, and returns its replies.
        func receive(_ text: String, _ framing: Framing = .line) -> String {
            var connection = Connection(
                policy: ArithmeticHandler(),
                executor: InlineExecutor(ArithmeticHandler()),
                pool: WorkPool {},
                order: .inOrder,
                framing: framing,
                host: messages
            )
            Array(text.utf8).withUnsafeBytes { connection.receive($0) }
            return String(decoding: connection.takeOutput(), as: UTF8.self)
        }
    }

    private let host = Host()

    @Test func writesWholeMessagesInTheFramingOfTheStream() {
        let request = #"{"jsonrpc":"2.0","id":"postern:secret-1","method":"ask","params":{"number":7}}"#
        let notification = #"{"jsonrpc":"2.0","method":"tell","params":""}"#
        host.begin(.line)
        #expect(host.request(7) && host.notify())
        #expect(host.output == request + "\n" + notification + "\n")
        host.begin(.header)
        #expect(host.notify())
        #expect(host.output == "Content-Length: \(notification.utf8.count)\r\n\r\n" + notification)
        #expect(host.output == "")
    }

    @Test func sendsNothingBeforeTheFramingIsDecided() {
        #expect(!host.messages.hasRoom && !host.notify() && !host.request())
        host.begin(.auto)
        #expect(!host.messages.hasRoom && !host.notify() && !host.request())
        #expect(host.output == "" && host.answers.isEmpty)
    }

    @Test func sendsNothingWhileTheHostDoesNotRead() {
        host.begin(unwrittenBytes: Limits.hostMessagesUnwrittenBytesMax + 1)
        #expect(!host.messages.hasRoom && !host.notify() && !host.request())
        #expect(host.output == "")
        host.begin(unwrittenBytes: Limits.hostMessagesUnwrittenBytesMax)
        #expect(host.notify())
        #expect(!host.notify(), "the messages of this turn count as well")
    }

    @Test(arguments: [
        (#""result":null"#, HostAnswer.result(.null)),
        (#""result":{"a":[1,"x"]}"#, .result(["a": [1, "x"]])),
        (
            #""error":{"code":-7,"message":"no","data":{"x":1}}"#,
            .error(RPCError(code: -7, message: "no", data: ["x": 1]))
        ),
        (#""error":{"code":"-7","message":"no"}"#, .malformed),
        (#""error":null"#, .malformed),
        (#""error":"no""#, .malformed),
        (#""result":null,"error":null"#, .malformed),
    ])
    func handsAResponseToItsSender(_ properties: String, _ answer: HostAnswer) {
        host.begin()
        #expect(host.request())
        let replies = host.receive(#"{"jsonrpc":"2.0","id":"postern:secret-1",\#(properties)}"# + "\n")
        #expect(replies == "")
        #expect(host.answers.isEmpty, "a handler is called when no request has staged writes")
        host.begin()
        #expect(host.answers == [answer])
    }

    @Test func takesAResponseInABatchWithOtherEscapesAndAfterHeaders() {
        host.begin()
        for number in 1...3 { #expect(host.request(number)) }
        let batch =
            #"[{"jsonrpc":"2.0","id":1,"method":"sum","params":[2]},{"jsonrpc":"2.0","id":"postern:secret-1","result":1}]"#
        #expect(host.receive(batch + "\n") == #"[{"jsonrpc":"2.0","id":1,"result":2}]"# + "\n")
        #expect(host.receive(#"[{"jsonrpc":"2.0","id":"postern\u003asecret-2","result":2}]"# + "\n") == "")
        let response = #"{"jsonrpc":"2.0","id":"postern:secret-3","result":3}"#
        #expect(host.receive("Content-Length: \(response.utf8.count)\r\n\r\n" + response, .header) == "")
        host.begin()
        #expect(host.answers == [.result(1), .result(2), .result(3)])
    }

    /// Without the version the response would be a request of JSON-RPC 1.0.
    @Test func namesAResponseOfAnotherVersionMalformed() {
        host.begin()
        #expect(host.request())
        _ = host.receive(#"{"id":"postern:secret-1","result":null}"# + "\n")
        host.begin()
        #expect(host.answers == [.malformed])
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":"postern:secret-2","result":null}"#,
        #"{"jsonrpc":"2.0","id":"secret-1","result":null}"#,
        #"{"jsonrpc":"2.0","id":"postern:SECRET-1","result":null}"#,
        #"{"jsonrpc":"2.0","id":"","result":null}"#,
        #"{"jsonrpc":"2.0","id":1,"result":null}"#,
        #"{"jsonrpc":"2.0","id":null,"result":null}"#,
        #"{"jsonrpc":"2.0","id":["postern:secret-1"],"result":null}"#,
        #"{"jsonrpc":"2.0","result":null}"#,
    ])
    func ignoresAForgedResponse(_ response: String) {
        host.begin()
        #expect(host.request())
        #expect(host.receive(response + "\n") == "")
        host.begin()
        #expect(host.answers.isEmpty)
        // The open request still takes the true response, once.
        let response = #"{"jsonrpc":"2.0","id":"postern:secret-1","result":1}"# + "\n"
        #expect(host.receive(response + response) == "")
        host.begin()
        #expect(host.answers == [.result(1)])
    }

    /// A message that has neither method nor result is an invalid request, also with the id of an open request.
    @Test func refusesAMessageThatIsNoResponse() {
        host.begin()
        #expect(host.request())
        #expect(host.receive(#"{"jsonrpc":"2.0","id":"postern:secret-1"}"# + "\n").contains("method is missing"))
        host.begin()
        #expect(host.answers.isEmpty)
    }

    @Test func givesUpARequestThatIsNotAnsweredInTime() {
        host.begin()
        #expect(host.messages.millisecondsToDeadline == nil)
        #expect(host.request())
        host.clock.now = 29_999
        host.begin()
        #expect(host.answers.isEmpty && host.messages.millisecondsToDeadline == 1)
        host.clock.now = 30_000
        host.begin()
        #expect(host.answers == [.unanswered(seconds: 30)] && host.messages.millisecondsToDeadline == nil)
        // It is too late.
        #expect(host.receive(#"{"jsonrpc":"2.0","id":"postern:secret-1","result":null}"# + "\n") == "")
        host.begin()
        #expect(host.answers.count == 1)
    }

    @Test func endsOpenRequestsWhenNoResponseCanCome() {
        host.begin()
        #expect(host.request(1) && host.request(2))
        host.begin(isInputOpen: false)
        #expect(host.answers.isEmpty, "messages that were read may contain responses")
        #expect(!host.request() && host.notify(), "only notifications need no response")
        _ = host.receive(#"{"jsonrpc":"2.0","id":"postern:secret-2","result":2}"# + "\n")
        host.begin(isInputOpen: false, hasReadAll: true)
        #expect(host.answers == [.result(2), .ended])
    }

    @Test func sendsNothingAfterTheEnd() {
        host.begin()
        #expect(host.request())
        host.messages.end()
        #expect(host.answers == [.ended])
        #expect(!host.notify() && !host.request())
    }

    /// A handler may send the next request.
    @Test func sendsFromAHandler() {
        host.begin()
        let hasSent = host.messages.request("first", seconds: 1, params: { $0.null() }) { _ in
            #expect(self.host.request())
        }
        #expect(hasSent)
        _ = host.output
        _ = host.receive(#"{"jsonrpc":"2.0","id":"postern:secret-1","result":1}"# + "\n")
        host.begin()
        #expect(host.output.contains("postern:secret-2"))
    }
}
