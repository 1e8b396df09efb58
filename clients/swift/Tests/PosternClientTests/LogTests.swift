import Dispatch
import Testing
import Platform

@testable import PosternClient

/// The stderr of the process.
struct LogTests {
    @Test func stderrMayExceedThePipe() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("talkative"), waitsUntilReady: false, onLog: lines.add)
        #expect(try await postern.call("a") == #""heard""#)
        await postern.close()
        #expect(try await becomesTrue(within: 20) { lines.all.reduce(0) { $0 + $1.utf8.count } > 1_900_000 })
        #expect(lines.all.contains { $0.utf8.count >= 1_000_000 })
    }

    @Test func aLongLineIsPassedOnInPieces() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("endless"), waitsUntilReady: false, onLog: lines.add)
        #expect(try await postern.call("a") == "1")
        await postern.close()
        #expect(try await becomesTrue(within: 20) { lines.all.reduce(0) { $0 + $1.utf8.count } == 4_000_001 })
        #expect(lines.all.allSatisfy { $0.utf8.count <= Limits.logLineBytesMax + Limits.readBytes })
    }

    /// The log waits for a reply that the process sends only after it has written more than the capacity of a pipe.
    @Test func aSlowLogDoesNotBlockTheProcess() async throws {
        let isAnswered = DispatchSemaphore(value: 0)
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("talkative"), waitsUntilReady: false) { line in
            if lines.all.isEmpty { _ = isAnswered.wait(timeout: .now() + 120) }
            lines.add(line)
        }
        #expect(try await postern.call("a") == #""heard""#)
        let hasLogged = !lines.all.isEmpty
        #expect(!hasLogged)
        isAnswered.signal()
        await postern.close()
        #expect(try await becomesTrue(within: 20) { lines.all.reduce(0) { $0 + $1.utf8.count } > 1_900_000 })
    }

    @Test func linesBeyondTheBufferOfASlowLogAreDropped() throws {
        let isRead = DispatchSemaphore(value: 0)
        let lines = Lines()
        let pipe = try Pipe()
        let log = LogReader(pipe.reader) { line in
            if lines.all.isEmpty { isRead.wait() }
            lines.add(line)
        }
        let (reading, passing) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let bodies: [@Sendable () -> Void] = [
            {
                log.run()
                reading.signal()
            },
            {
                log.passOn()
                passing.signal()
            },
        ]
        for body in bodies { #expect(Thread.start(body)) }
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20) + "\n".utf8
        for _ in 0..<20 {
            #expect(line.withUnsafeBytes { WholeWrite.run($0, to: pipe.writer) } == nil)
        }
        pipe.writer.close()
        reading.wait()
        isRead.signal()
        passing.wait()
        let passed = lines.all.filter { $0.utf8.count == 1 << 20 }
        #expect((16...17).contains(passed.count))
        #expect(lines.all.contains { $0.hasPrefix("postern: \(20 - passed.count) lines of its stderr are left out") })
        #expect(log.lastLines.count == 20)
    }
}
