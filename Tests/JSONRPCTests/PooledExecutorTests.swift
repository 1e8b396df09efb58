import JSON
import Synchronization
import Testing

@testable import JSONRPC
@testable import Platform

/// A connection whose requests are executed by workers.
struct PooledExecutorTests {
    /// What the handlers of all workers did.
    private final class Record: Sendable {
        let durable = Mutex<[Int]>([])
        let handlers = Mutex(0)
        /// How often background tasks have run, and how many sessions have ended.
        let taskRuns = Mutex(0)
        let endedSessions = Mutex(0)
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

        func execute(
            _ request: Request,
            from phase: (any RequestPhase)?,
            result: inout JSONWriter
        ) throws(RPCError) -> SlowWork? {
            try inner.execute(request, from: phase, result: &result)
        }

        func lookAhead(_ request: Request) -> SlowWork? { inner.lookAhead(request) }
        func mayWait(_ request: Request) -> Bool { inner.mayWait(request) }
        func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? { inner.cancelledID(by: notification) }
        func endGroup() {}
        func needsStore(_ request: Request) -> Bool { inner.needsStore(request) }
        func isCancellable(_ request: Request) -> Bool { inner.isCancellable(request) }
        func lane(of request: Request) -> Lane? { inner.lane(of: request) }
        func formatted(_ error: RPCError, for request: Request) -> RPCError { inner.formatted(error, for: request) }

        func commit() throws(RPCError) {
            if commitFails { inner.writesMax = 0 }
            let before = inner.durable.count
            try inner.commit()
            record.durable.withLock { $0 += inner.durable[before...] }
        }

        func writeFailure(_ error: RPCError, of request: Request, result: inout JSONWriter) throws(RPCError) {
            try inner.writeFailure(error, of: request, result: &result)
        }

        func rollback() { inner.rollback() }
    }

    private let record = Record()

    private func replies(
        to lines: [String],
        order: ReplyOrder = .asCompleted,
        workers: Int = 4,
        commitFails: Bool = false,
        startThread: @escaping Thread.Starter = Thread.start,
        taskRunsMin: Int = 0
    ) throws -> [JSONValue] {
        let record = record
        let wakeUp = try #require(WakeUp())
        let executor = PooledExecutor(
            workers: workers,
            handler: ArithmeticHandler(),
            startThread: startThread,
            wake: { wakeUp.send() }
        ) {
            // A task with three more pieces of work after each request.
            var pieces = 0
            let task: LoopTask = {
                record.taskRuns.withLock { $0 += 1 }
                pieces = (pieces + 1) % 4
                return pieces == 0 ? nil : 0
            }
            return WorkerSession(handler: RecordingHandler(record, commitFails: commitFails), tasks: [task]) {
                record.endedSessions.withLock { $0 += 1 }
            }
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
            if connection.hasBacklog { connection.executeReadMessages() }
            connection.resume()
            output += connection.takeOutput()
            if !connection.isIdle, !connection.hasBacklog {
                _ = Readiness.wait(wakeUp.descriptor, nil, milliseconds: 1_000)
                wakeUp.clear()
            }
        }
        output += connection.takeOutput()
        let deadline = ContinuousClock.now + .seconds(60)
        while record.taskRuns.withLock({ $0 }) < taskRunsMin, ContinuousClock.now < deadline {
            Thread.sleep(microseconds: 1_000)
        }
        connection.finish()
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

    @Test func repliesInOrder() throws {
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

    @Test func makesAndEndsASessionForEachWorker() throws {
        _ = try replies(to: (1...50).map { write($0) }, workers: 3)
        #expect(record.handlers.withLock { $0 } == 3)
        #expect(record.endedSessions.withLock { $0 } == 3)
    }

    @Test func runsTasksAgainAtTheTimeTheyAskFor() throws {
        _ = try replies(to: [write(1)], workers: 1, taskRunsMin: 4)
        #expect(record.taskRuns.withLock { $0 } == 4)
    }

    /// A lane with many messages once kept all workers.
    @Test func servesEveryLaneInTurn() throws {
        let lines = (0..<6).flatMap { lane in (0..<20).map { write(100 * lane + $0, lane: "\(lane)") } }
        let order = ids(try replies(to: lines, workers: 1))
        for lane in 0..<6 {
            let first = try #require(order.firstIndex { $0 / 100 == lane })
            #expect(first < 20, "lane \(lane) begins with reply \(first)")
        }
    }

    @Test func repliesToABatchInItsOrder() throws {
        let batch = "[" + (1...100).map { $0 % 2 == 0 ? slow($0) : write($0) }.joined(separator: ",") + "]"
        let replies = try replies(to: [batch])
        #expect(replies.count == 1)
        #expect(ids(replies[0].array ?? []) == Array(1...100))
    }

    @Test func writesNothingOfALookAhead() throws {
        // The second waits behind the first, so that its first phase runs ahead.
        let writing = #"{"jsonrpc":"2.0","id":2,"method":"slow","params":{"value":2,"writes":true}}"#
        let replies = try replies(to: [write(1), writing, slow(3)], order: .inOrder)
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
