import JSON
import Synchronization
import Testing

@testable import JSONRPC
@testable import Platform

/// A connection whose requests are carried out by workers.
struct PooledExecutorTests {
    /// What the handlers of all workers did.
    private final class Record: Sendable {
        let durable = Mutex<[Int]>([])
        let handlers = Mutex(0)
    }

    /// One worker's handler. It counts itself, and its commits are kept in the record.
    private final class RecordingHandler: RequestHandler {
        private let inner = ArithmeticHandler()
        private let record: Record
        private let commitFails: Bool

        init(_ record: Record, commitFails: Bool) {
            self.record = record
            self.commitFails = commitFails
            record.handlers.withLock { $0 += 1 }
        }

        func handle(
            _ request: Request,
            from phase: (any RequestPhase)?,
            result: inout JSONWriter
        ) throws(RPCError) -> SlowWork? {
            try inner.handle(request, from: phase, result: &result)
        }

        func lookAhead(_ request: Request) -> SlowWork? { inner.lookAhead(request) }
        func mayWait(_ request: Request) -> Bool { inner.mayWait(request) }
        func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? { inner.cancelledID(by: notification) }
        func isCancellable(_ request: Request) -> Bool { inner.isCancellable(request) }
        func lane(of request: Request) -> Lane? { inner.lane(of: request) }
        func shaped(_ error: RPCError, for request: Request) -> RPCError { inner.shaped(error, for: request) }

        func commit() throws(RPCError) {
            if commitFails { inner.writesMax = 0 }
            let before = inner.durable.count
            try inner.commit()
            record.durable.withLock { $0 += inner.durable[before...] }
        }

        func end(_ request: Request, with error: RPCError, result: inout JSONWriter) throws(RPCError) {
            try inner.end(request, with: error, result: &result)
        }

        func rollback() { inner.rollback() }
    }

    private let record = Record()

    private func replies(
        to lines: [String],
        order: ReplyOrder = .asCompleted,
        workers: Int = 4,
        commitFails: Bool = false,
        startThread: @escaping Thread.Starter = Thread.start
    ) throws -> [JSONValue] {
        let record = record
        let wakeUp = try #require(WakeUp())
        let executor = PooledExecutor(workers: workers, startThread: startThread, wake: { wakeUp.send() }) {
            WorkerSession(handler: RecordingHandler(record, commitFails: commitFails), tasks: [])
        }
        var connection = Connection(
            policy: ArithmeticHandler(),
            executor: executor,
            pool: WorkPool { wakeUp.send() },
            order: order,
            framing: .line
        )
        var output: [UInt8] = []
        Array(lines.map { $0 + "\n" }.joined().utf8).withUnsafeBytes { connection.receive($0) }
        while !connection.isIdle {
            if connection.canTakeBacklog { connection.takeBacklog() }
            connection.resume()
            output += connection.takeOutput()
            if !connection.isIdle, !connection.canTakeBacklog {
                _ = Readiness.wait(wakeUp.descriptor, nil, milliseconds: 1_000)
                wakeUp.clear()
            }
        }
        output += connection.takeOutput()
        return try output.split(separator: 0x0A).map { try JSONValue(parsing: $0) }
    }

    private func write(_ number: Int, lane: String? = nil) -> String {
        let lane = lane.map { #","lane":"\#($0)""# } ?? ""
        return #"{"jsonrpc":"2.0","id":\#(number),"method":"write","params":{"value":\#(number)\#(lane)}}"#
    }

    private func slow(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(number),"method":"slow","params":{"value":\#(number)}}"#
    }

    private func ids(_ replies: [JSONValue]) -> [Int] { replies.compactMap { $0["id"]?.int } }

    @Test func answersInOrder() throws {
        let replies = try replies(to: (1...200).map { $0 % 3 == 0 ? slow($0) : write($0) }, order: .inOrder)
        #expect(ids(replies) == Array(1...200))
        #expect(record.durable.withLock { $0 } == (1...200).filter { $0 % 3 != 0 })
    }

    @Test func keepsTheOrderOfALane() throws {
        let replies = try replies(to: (1...400).map { write($0, lane: "\($0 % 5)") })
        #expect(ids(replies).sorted() == Array(1...400))
        for lane in 0..<5 {
            let ofLane = (1...400).filter { $0 % 5 == lane }
            #expect(ids(replies).filter { $0 % 5 == lane } == ofLane)
            #expect(record.durable.withLock { $0 }.filter { $0 % 5 == lane } == ofLane)
        }
    }

    @Test func continuesAfterSlowWork() throws {
        let replies = try replies(to: (1...100).map { slow($0) })
        #expect(ids(replies).sorted() == Array(1...100))
        for reply in replies { #expect(reply["result"]?.int == reply["id"]?.int.map { $0 * 2 }) }
    }

    /// Each worker makes its own session, and no more workers are started than there may be.
    @Test func makesASessionForEachWorker() throws {
        _ = try replies(to: (1...50).map { write($0) }, workers: 3)
        #expect((1...3).contains(record.handlers.withLock { $0 }))
    }

    @Test func answersABatchInItsOrder() throws {
        let batch = "[" + (1...100).map { $0 % 2 == 0 ? slow($0) : write($0) }.joined(separator: ",") + "]"
        let replies = try replies(to: [batch])
        #expect(replies.count == 1)
        #expect(ids(replies[0].array ?? []) == Array(1...100))
    }

    @Test func writesNothingOfALookAhead() throws {
        // The second waits behind the first, so that its first phase runs ahead.
        let lines = [write(1, lane: "a"), slow(2), slow(3)]
        let replies = try replies(to: lines, order: .inOrder)
        #expect(ids(replies) == [1, 2, 3])
        #expect(record.durable.withLock { $0 } == [1])
    }

    @Test func repliesWithTheErrorOfAFailedCommit() throws {
        let replies = try replies(
            to: [write(1), #"{"jsonrpc":"2.0","id":2,"method":"sum","params":[1,2]}"#],
            commitFails: true
        )
        let byID = Dictionary(uniqueKeysWithValues: replies.map { ($0["id"]?.int ?? 0, $0) })
        #expect(byID[1]?["error"]?["code"] == 507)
        #expect(byID[2]?["result"] == 3)
        #expect(record.durable.withLock { $0 } == [])
    }

    @Test func cancelsAWaitingRequest() throws {
        let lines = [
            write(1, lane: "a"), #"{"jsonrpc":"2.0","id":2,"method":"slow","params":{"value":2}}"#,
            #"{"jsonrpc":"2.0","method":"cancel","params":[2]}"#, write(3),
        ]
        let replies = try replies(to: lines, order: .inOrder)
        #expect(ids(replies) == [1, 3])
    }

    @Test func worksWithoutThreads() throws {
        let replies = try replies(to: (1...20).map { write($0) }, startThread: { _ in false })
        #expect(ids(replies).sorted() == Array(1...20))
    }
}
