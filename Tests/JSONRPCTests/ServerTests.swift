import Testing
import Platform

@testable import JSONRPC

/// The time limits are longer than all tests take together,
/// because a test's time also runs while it waits for a thread.
struct ServerTests {
    /// The server's input. It is closed once: a second close could
    /// close a descriptor that another test has opened meanwhile.
    private final class Input {
        let pipe: Pipe
        private var isOpen = true

        init() throws {
            pipe = try Pipe()
        }

        func send(_ text: String) {
            #expect(Array(text.utf8).withUnsafeBytes { WholeWrite.run($0, to: pipe.writer) } == nil)
        }

        func end() {
            if isOpen { pipe.writer.close() }
            isOpen = false
        }
    }

    private let input: Input
    private let output: Pipe
    private let wakeUp: WakeUp

    init() throws {
        input = try Input()
        output = try Pipe()
        wakeUp = try #require(WakeUp())
    }

    private func serve(_ tasks: [LoopTask]) throws {
        let server = Server(
            input: input.pipe.reader,
            output: output.writer,
            executor: .inline(ArithmeticHandler()),
            order: .inOrder,
            framing: .line,
            tasks: tasks,
            wakeUp: wakeUp,
            isStopped: { false }
        )
        try server.run()
    }

    /// Tasks run without a request, and no later than the earliest time that one of them asks for.
    @Test(.timeLimit(.minutes(5))) func runsATaskAtTheTimeItAsksFor() throws {
        var times: [Int] = []
        try serve([
            { 3_600_000 },
            {
                times.append(MonotonicClock.milliseconds)
                if times.count == 4 { self.input.end() }
                return 20
            },
            { nil },
        ])
        try #require(times.count >= 4)
        #expect(times[3] - times[0] >= 60, "the task is not run before its time")
    }

    @Test(.timeLimit(.minutes(5))) func runsATaskAfterEachTurnAndWakeUp() throws {
        var runs = 0
        try serve([
            {
                runs += 1
                switch runs {
                case 1: self.input.send(#"{"jsonrpc":"2.0","method":"update"}"# + "\n")
                case 2: self.wakeUp.send()
                default: self.input.end()
                }
                return nil
            }
        ])
        #expect(runs >= 3)
    }

    /// Requests that arrived before the loop began get their replies before a task runs.
    @Test(.timeLimit(.minutes(5))) func repliesToRequestsBeforeItRunsTasks() throws {
        input.send(#"{"jsonrpc":"2.0","id":1,"method":"get_data"}"# + "\n")
        var reply = [UInt8](repeating: 0, count: 256)
        var count = 0
        try serve([
            {
                if count == 0 { count = (try? self.output.reader.read(into: &reply)) ?? 0 }
                self.input.end()
                return nil
            }
        ])
        #expect(String(decoding: reply.prefix(count), as: UTF8.self).contains(#""result":["hello",5]"#))
    }
}
