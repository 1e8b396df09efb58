import Synchronization
import Testing
import Platform

@testable import JSONRPC

struct OutputWriterTests {
    private static let replies = (0..<100).map { [UInt8](repeating: UInt8($0), count: 1_000 * $0) }

    /// Writes the replies into a pipe, and returns what is read from it.
    private func roundTrip(startThread: @escaping Thread.Starter) throws -> [UInt8] {
        let pipe = try Pipe()
        let total = Self.replies.reduce(0) { $0 + $1.count }
        let received = Mutex<[UInt8]>([])
        try #require(
            Thread.start {
                var buffer = [UInt8](repeating: 0, count: 10_000)
                while received.withLock({ $0.count }) < total {
                    let count = (try? pipe.reader.read(into: &buffer)) ?? 0
                    received.withLock { $0 += buffer[..<count] }
                }
            }
        )
        let output = OutputWriter(descriptor: pipe.writer, startThread: startThread, wake: {})
        for reply in Self.replies { output.write(reply) }
        while received.withLock({ $0.count }) < total { Thread.sleep(microseconds: 1_000) }
        pipe.reader.close()
        pipe.writer.close()
        return received.withLock { $0 }
    }

    @Test func writesInOrder() throws {
        #expect(try roundTrip(startThread: Thread.start) == Self.replies.flatMap { $0 })
    }

    /// The program once ended when no thread could be started.
    @Test func losesNothingWithoutAThread() throws {
        #expect(try roundTrip { _ in false } == Self.replies.flatMap { $0 })
    }

    @Test func losesNothingWhenItsThreadStartsLate() throws {
        let refusals = Mutex(30)
        let bytes = try roundTrip { body in
            let isRefused = refusals.withLock { left in
                left -= 1
                return left >= 0
            }
            return !isRefused && Thread.start(body)
        }
        #expect(bytes == Self.replies.flatMap { $0 })
    }
}
