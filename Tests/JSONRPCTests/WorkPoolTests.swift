import Synchronization
import Testing
import Platform

@testable import JSONRPC

struct WorkPoolTests {
    /// The program once ended when no thread could be started.
    @Test func worksSynchronouslyWithoutThreads() {
        let wakeUps = Mutex(0)
        let pool = WorkPool(startThread: { _ in false }, wake: { wakeUps.withLock { $0 += 1 } })
        for ticket in 1...3 { pool.start(ticket) { ArithmeticHandler.SlowOutcome(value: ticket * 2) } }
        #expect(wakeUps.withLock { $0 } == 3)
        let finished = pool.takeFinished()
        #expect(finished.map(\.ticket) == [1, 2, 3])
        #expect(finished.map { ($0.phase as? ArithmeticHandler.SlowOutcome)?.value } == [2, 4, 6])
    }

    @Test func limitsTheNumberOfThreads() {
        let count = Mutex(0)
        let pool = WorkPool(
            threadsMax: 3,
            startThread: { _ in
                count.withLock { $0 += 1 }
                return true
            },
            wake: {}
        )
        #expect(count.withLock { $0 } == 0, "threads start with the first work")
        for ticket in 1...20 { pool.start(ticket) { nil } }
        #expect(count.withLock { $0 } == 3)
    }

    @Test func worksWithFewerThreads() {
        let isRefused = Mutex(false)
        let pool = WorkPool(
            startThread: { body in
                let isRefused = isRefused.withLock { refused in
                    defer { refused = true }
                    return refused
                }
                return !isRefused && Thread.start(body)
            },
            wake: {}
        )
        for ticket in 1...20 { pool.start(ticket) { nil } }
        var tickets: [Int] = []
        while tickets.count < 20 { tickets += pool.takeFinished().map(\.ticket) }
        #expect(tickets == Array(1...20), "one thread works in order")
    }

    @Test func repliesWithoutThreads() {
        var connection = Connection(
            handler: ArithmeticHandler(),
            pool: WorkPool(startThread: { _ in false }, wake: {}),
            order: .inOrder,
            framing: .line
        )
        let calls = (1...200).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"slow","params":{"value":\#($0)}}"# + "\n" }
        Array(calls.joined().utf8).withUnsafeBytes { connection.receive($0) }
        while !connection.isIdle { connection.resume() }
        let replies = String(decoding: connection.takeOutput(), as: UTF8.self).split(separator: "\n")
        #expect(replies.map { String($0) } == (1...200).map { #"{"jsonrpc":"2.0","id":\#($0),"result":\#($0 * 2)}"# })
    }
}
