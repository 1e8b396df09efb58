import JSON
import Platform
import Synchronization
import Testing

@testable import JSONRPC

/// Messages that the server sends on its own, over pipes. The time limits are longer than all tests take together.
struct HostMessagesServerTests {
    private let input: Pipe
    private let output: Pipe
    private let wakeUp: WakeUp
    private let messages = HostMessages(newSecret: { "secret" })

    init() throws {
        input = try Pipe()
        output = try Pipe()
        wakeUp = try #require(WakeUp())
    }

    private func serve(framing: Framing = .auto, _ task: @escaping LoopTask) throws {
        let server = Server(
            input: input.reader,
            output: output.writer,
            executor: .inline(ArithmeticHandler()),
            order: .inOrder,
            framing: framing,
            tasks: [task],
            host: messages,
            wakeUp: wakeUp,
            isStopped: { false }
        )
        try server.run()
        output.writer.close()
    }

    private func send(_ text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { WholeWrite.run($0, to: input.writer) } == nil)
    }

    /// The whole output, once the server has ended.
    private func received() -> String {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while let count = try? output.reader.read(into: &buffer), count > 0 { received += buffer[..<count] }
        return String(decoding: received, as: UTF8.self)
    }

    @Test(.timeLimit(.minutes(5))) func sendsAfterTheReplies() throws {
        send(#"{"jsonrpc":"2.0","id":1,"method":"get_data"}"# + "\n")
        var answers: [HostAnswer] = []
        var hasSent = false
        try serve {
            if !hasSent {
                hasSent = self.messages.request("ask", seconds: 600, params: { $0.int(1) }) { answers.append($0) }
                if hasSent { self.send(#"{"jsonrpc":"2.0","id":"postern:secret","result":5}"# + "\n") }
            }
            if !answers.isEmpty { self.input.writer.close() }
            return nil
        }
        #expect(answers == [.result(5)])
        #expect(
            received() == #"{"jsonrpc":"2.0","id":1,"result":["hello",5]}"# + "\n"
                + #"{"jsonrpc":"2.0","id":"postern:secret","method":"ask","params":1}"# + "\n"
        )
    }

    /// A response that was read together with the end of the input still counts.
    @Test(.timeLimit(.minutes(5)), arguments: ["\n", ""])
    func takesAResponseAtTheEndOfTheInput(_ end: String) throws {
        var answers: [HostAnswer] = []
        var hasSent = false
        try serve(framing: .line) {
            guard !hasSent else { return nil }
            hasSent = self.messages.request("ask", seconds: 600, params: { $0.null() }) { answers.append($0) }
            self.send(#"{"jsonrpc":"2.0","id":"postern:secret","result":5}"# + end)
            self.input.writer.close()
            return nil
        }
        #expect(answers == [.result(5)])
    }

    @Test(.timeLimit(.minutes(5))) func endsARequestAtTheEndOfTheInput() throws {
        var answers: [HostAnswer] = []
        var hasSent = false
        try serve(framing: .line) {
            guard !hasSent else { return nil }
            hasSent = self.messages.request("ask", seconds: 600, params: { $0.null() }) { answers.append($0) }
            self.input.writer.close()
            return nil
        }
        #expect(answers == [.ended])
    }

    /// The loop wakes at the deadline of a request, though nothing is read and no task asks for a time.
    @Test(.timeLimit(.minutes(5))) func wakesAtTheDeadline() throws {
        var answers: [HostAnswer] = []
        var hasSent = false
        try serve(framing: .line) {
            if !hasSent {
                hasSent = self.messages.request("ask", seconds: 1, params: { $0.null() }) { answers.append($0) }
            }
            if !answers.isEmpty { self.input.writer.close() }
            return nil
        }
        #expect(answers == [.unanswered(seconds: 1)])
    }

    /// A task that always sends stays within the bound, requests are read and executed meanwhile, and the task sends
    /// again when the host reads.
    @Test(.timeLimit(.minutes(5))) func staysWithinItsBoundWhileTheHostDoesNotRead() throws {
        let text = String(repeating: "x", count: 10_000)
        let received = Mutex<[UInt8]>([])
        var sent = 0
        var sentUnread = 0
        var turnsWithoutRoom = 0
        var hasEnded = false
        try serve(framing: .line) {
            guard !hasEnded else { return nil }
            if !self.messages.hasRoom { turnsWithoutRoom += 1 }
            if turnsWithoutRoom == 5 {
                turnsWithoutRoom += 1
                sentUnread = sent
                self.send(#"{"jsonrpc":"2.0","id":1,"method":"get_data"}"# + "\n")
                let reader = self.output.reader
                let hasStarted = Thread.start {
                    var buffer = [UInt8](repeating: 0, count: 65_536)
                    while let count = try? reader.read(into: &buffer), count > 0 {
                        received.withLock { $0 += buffer[..<count] }
                    }
                    received.withLock { $0.append(0) }
                }
                #expect(hasStarted)
            }
            while self.messages.notify("tell", params: { $0.string(text) }) { sent += 1 }
            if sentUnread > 0, sent > sentUnread {
                hasEnded = true
                self.input.writer.close()
            }
            return 5
        }
        while received.withLock({ $0.last != 0 }) { Thread.sleep(microseconds: 1_000) }
        let lines = received.withLock { $0.dropLast() }.split(separator: 0x0A)
        let values = try lines.map { try JSONValue(parsing: $0) }
        #expect(values.count { $0["method"] == "tell" } == sent)
        #expect(values.contains { $0["id"] == 1 })
        // The bound, and what a pipe takes.
        #expect(sentUnread * text.utf8.count <= Limits.hostMessagesUnwrittenBytesMax + (128 << 10))
    }
}
